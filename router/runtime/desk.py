"""The desk: one running router without its doors.

It gives the core a clock, timers and ports, and each connection a link. Laws: nobody is heard before the
state is complete; a fault of ours in handling one message is logged and answered, and ends nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from clasp_journal.entry import ParamSnapshot
from router.core.access import Right
from router.core.admission import POLICY_VIOLATION, TRY_AGAIN_LATER
from router.core.answers import packed_error
from router.core.ground import Settings
from router.core.limits import Limits
from router.core.router import Core
from router.core.session import Session, Stage
from router.core.tally import Tally
from router.recording.options import OnJournalError
from router.recording.recorder import Recorder
from router.runtime.alarm import Alarm
from router.runtime.clock import Clock
from router.runtime.door import Answer, Page, Peer, Pipe, Request
from router.runtime.exchange import Exchange
from router.runtime.faults import Faults
from router.runtime.keeping import Keeping
from router.runtime.link import Link
from router.runtime.outbox import Outbox, PauseReason
from router.runtime.ports import DeskPorts
from router.runtime.pressure import Pressure
from router.runtime.replays import Replays
from router.runtime.review import Review
from router.wire.codes import ErrorCode

log = logging.getLogger("router.desk")

GRACE_S = 2.0
"""For who may not be here any more, to take what was sent before; who is slow gets no more of it."""


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """What the operator decides about a desk."""

    limits: Limits = field(default_factory=Limits)
    core: Settings = field(default_factory=Settings)
    on_journal_error: OnJournalError = OnJournalError.STOP


class Desk:
    """A router that doors can be opened on. Belongs to the running event loop."""

    def __init__(self, settings: DeskSettings, recorder: Recorder | None = None) -> None:
        self.limits = settings.limits
        self._clock = Clock()
        self.now_us = 0
        """The time at which what is being handled happened; it never goes back."""
        self._loop = asyncio.get_running_loop()
        self.keeping = Keeping(recorder, settings.limits.journal_backlog_bytes, settings.on_journal_error)
        self.tally = Tally()
        self.refused = self.tally.refused
        self.exchange = Exchange(self._loop, self.keeping, self.tally)
        self._replays = Replays(self.exchange, recorder, settings.limits) if recorder else None
        ports = DeskPorts(self.exchange, self.keeping, self._replays, self.close)
        self.core = Core(ports, settings.limits, settings.core, self.tally)
        self._links: dict[int, Link] = {}
        self._newcomers: set[Link] = set()
        """Those that may not have said HELLO yet."""
        self._alarm = Alarm(self.clock, self.begin_tick)
        self._is_restored = False
        self.exchange.at_end = self._set_alarm
        self._pressure = Pressure(self.keeping, self._outbox_of)
        self._faults = Faults(self.keeping, self.exchange, ports, self.core, self._begin_first)
        self.keeping.on_change = self._heed_journal
        self.gate = settings.core.gate
        """Who knows the tokens; None if there are none."""
        self.pages: Mapping[str, Page] = {}
        """What plain requests for a path are answered by, besides the desk itself."""
        self._review = None if self.gate is None else Review(self.gate, self.clock, self.heed_rights)

    # Its life.

    async def start(self) -> int:
        """Bring back the state that the journal remembers; returns the number of live params."""
        recorder = self.keeping.recorder
        if recorder is not None:
            recorder.on_remembered = self._take_over
            state = await recorder.start()
            self.core.restore((), state.revision_floor, self.clock())
        if self._review is not None:
            self._review.start()
        self.begin_tick()
        self.core.restored()
        self._is_restored = True
        for link in self._links.values():
            self._open(link)
        return self.core.ground.topics.live

    def _take_over(self, params: list[ParamSnapshot]) -> None:
        self.core.restore(params, 0, self.clock())

    async def quiesce(self) -> None:
        """Hear nobody any more, and wait until all that was accepted is committed and acknowledged."""
        for link in self._links.values():
            link.outbox.pause(PauseReason.STOPPING)
        self.exchange.flush()
        while self.keeping.owes and self.keeping.trouble is None:
            await self.keeping.progress()
        self.exchange.flush()

    async def stop(self) -> None:
        """Let go of everything. The doors are closed already."""
        self._alarm.clear()
        self.keeping.silence.stop()
        await self._faults.stop()
        if self._review is not None:
            await self._review.stop()
        if self._replays is not None:
            await self._replays.stop()
        if self.keeping.recorder is not None:
            await self.keeping.recorder.stop()

    def look_at_tokens(self) -> None:
        """Find out now, and not within a second, whether tokens have changed."""
        if self._review is not None:
            self._review.hurry()

    # What doors call.

    def connect(self, pipe: Pipe, peer: Peer) -> Link:
        """Somebody has come through a door. One more than may be silent there is dropped."""
        link = Link(self, pipe, peer)
        link.session = self.core.connect(
            str(uuid.uuid4()), link.outbox, is_trusted=peer.is_loopback, host=peer.host
        )
        self._links[link.session.number] = link
        if self._is_crowded():
            link.outbox.abort()
        self._newcomers.add(link)
        if self._is_restored:
            self._open(link)
        else:
            link.outbox.pause(PauseReason.RESTORING)
        return link

    def answer_http(self, request: Request) -> Answer:
        """Health, readiness, or just a sign of life."""
        page = self.pages.get(request.path)
        if page is not None:
            return page(request)
        if request.path != "/readyz":
            return Answer(200, "text/plain", b"ok\n")
        reason = self.unready_reason
        if reason is None:
            return Answer(200, "text/plain", b"ready\n")
        return Answer(503, "text/plain", f"{reason}\n".encode())

    @property
    def unready_reason(self) -> str | None:
        """Why the router should not be sent work; None if it can take it."""
        if not self._is_restored:
            return "the state is being restored"
        return self.keeping.unready_reason

    @property
    def links(self) -> Sequence[Link]:
        """Everybody who is connected."""
        return tuple(self._links.values())

    # What links and ports call.

    def clock(self) -> int:
        """The time in microseconds, which never goes back while the router runs."""
        self.now_us = self._clock.read()
        return self.now_us

    def begin_tick(self) -> int:
        """Something is about to happen, now, and what is due by now before it; returns the time."""
        now_us = self._begin_first()
        if self._alarm.due_us <= now_us:
            self._alarm.clear()
            self.core.advance(now_us)
        return now_us

    def _begin_first(self) -> int:
        """The same for what has to come before all that is due."""
        now_us = self.clock()
        self.exchange.begin()
        return now_us

    def close(self, session: Session, code: int, reason: str) -> None:
        """Send a session what is due to it, and end its connection."""
        self.exchange.settle()
        outbox: Outbox = session.outbox
        outbox.close(code, reason)
        if session.access.ended is not None:
            self._loop.call_later(GRACE_S, self._drop, session.number)
        self._leave(session)

    def _drop(self, number: int) -> None:
        outbox = self._outbox_of(number)
        if outbox is not None:
            outbox.abort()

    def give_up_soon(self, link: Link) -> None:
        """A session cannot take its events: tell it and close, when this turn of the loop is over."""
        self._loop.call_soon(self._give_up, link)

    def _give_up(self, link: Link) -> None:
        session = link.session
        if session.stage is Stage.GONE:
            return
        reason = "the session reads too slowly for its events; REPLAY has what it missed"
        log.warning("closing session %s (%s): it reads too slowly", session.id, session.name)
        self.tally.too_slow += 1
        link.outbox.write_past(packed_error(ErrorCode.OVERLOADED, reason))
        link.outbox.close(TRY_AGAIN_LATER, "too slow")
        self._leave(session)

    def lost(self, link: Link) -> None:
        """A connection is gone, and with it all that belonged to it."""
        self._leave(link.session)
        if link.outbox.backlog is not None:
            self.tally.conflated += link.outbox.backlog.conflated
            self.tally.dropped += link.outbox.backlog.dropped
        link.part()
        self._links.pop(link.session.number, None)
        self._newcomers.discard(link)
        self._pressure.forget(link.outbox)

    # What happens to all of them.

    def _heed_journal(self) -> None:
        """The journal has gone on, is in trouble, or is out of it."""
        self._pressure.relieve()
        self._faults.heed()

    def heed_rights(self) -> None:
        """Tokens have other rights now: end what they no longer permit."""
        self.begin_tick()
        for session in self.core.review():
            self._hold_back(session)
            if self._replays is not None:
                self._replays.review(session)

    def _hold_back(self, session: Session) -> None:
        """Let go of messages that wait for a session which may not read them any more."""
        backlog = session.outbox.backlog
        if backlog is not None:
            access = session.access
            backlog.forget(lambda topic: not access.may(Right.READ, topic.text))

    def _outbox_of(self, number: int) -> Outbox | None:
        """The outbox of the session with this number, if it is still connected."""
        link = self._links.get(number)
        return link.outbox if link is not None else None

    def _leave(self, session: Session) -> None:
        if session.stage is not Stage.GONE:
            self.core.leave(session)
            if self._replays is not None:
                self._replays.leave(session)

    def _is_crowded(self) -> bool:
        """Whether as many as may be have come and not said HELLO."""
        newcomers = self._newcomers
        if len(newcomers) < self.limits.handshakes:
            return False
        self._newcomers = {link for link in newcomers if link.session.stage is Stage.GREETING}
        return len(self._newcomers) >= self.limits.handshakes

    def _open(self, link: Link) -> None:
        link.outbox.resume(PauseReason.RESTORING)
        link.patience = self._loop.call_later(self.limits.hello_timeout_s, self._expect_hello, link)

    def _expect_hello(self, link: Link) -> None:
        link.patience = None
        session = link.session
        if session.stage is Stage.GREETING:
            self.begin_tick()
            reason = f"no HELLO within {self.limits.hello_timeout_s:g} s"
            self.exchange.reply(session, packed_error(ErrorCode.INVALID_MESSAGE, reason))
            self.close(session, POLICY_VIOLATION, reason)

    def _set_alarm(self) -> None:
        self._alarm.set(self.core.ground.agenda.next_due)
