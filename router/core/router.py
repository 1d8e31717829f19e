"""The core: every frame that a session sends goes in here, and all that follows from it goes out by ports.

Laws: nothing here waits, reads a clock or does I/O; the order in which frames come in is the order in which
they take effect, are delivered and are recorded; whatever a peer sends, the worst that it gets is an
ERROR and the end of its own connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from clasp_journal.address import Pattern
from clasp_journal.entry import ParamSnapshot
from clasp_journal.errors import BadInput
from router.core.admission import Admission
from router.core.answers import packed, snapshots
from router.core.bundles import Bundles
from router.core.definitions import Definitions
from router.core.delivery import Delivery
from router.core.fast_forms import FastForms
from router.core.ground import Ground, Settings
from router.core.limits import Limits
from router.core.listening import Listening
from router.core.params import Params
from router.core.ports import Ports
from router.core.refusal import Refusal
from router.core.session import Outbox, Session, Stage
from router.core.signals import Signals, packed_ack
from router.core.tally import Tally
from router.core.topics import P2P_SIGNAL, Topics
from router.wire import codec, legacy
from router.wire.codes import ErrorCode
from router.wire.frame import COMMIT, Frame, decode_frame
from router.wire.masks import Feature
from router.wire.messages import (
    Ack,
    Announce,
    Bundle,
    FederationSync,
    Get,
    Hello,
    JournalDo,
    Message,
    Ping,
    Pong,
    Publish,
    Query,
    Replay,
    Set,
    Subscribe,
    Sync,
    Unsubscribe,
)

_LIVE = Stage.LIVE
_PONG = packed(Pong())

Handler = Callable[[Session, Any, Frame, int], None]


class Core:
    """One router's decisions."""

    def __init__(
        self,
        ports: Ports,
        limits: Limits | None = None,
        settings: Settings | None = None,
        tally: Tally | None = None,
    ) -> None:
        limits = limits or Limits()
        ground = Ground(ports, limits, settings or Settings(), Topics(limits.passing_topics))
        ground.tally = tally or ground.tally
        self.ground = ground
        self._ports = ports
        self._delivery = Delivery(ground)
        self._params = Params(ground, self._delivery)
        self._signals = Signals(ground, self._delivery)
        self._bundles = Bundles(ground, self._params, self._signals)
        self._definitions = Definitions(limits)
        self._listening = Listening(ground, self._delivery.pacing)
        self._admission = Admission(ground, self._listening)
        self.take = FastForms(ground).take
        """The short way into the core: it deals with frames of a session until it draws one that it is not
        for, and gives that back."""
        self._numbers = 0
        self._handlers = self._table()

    # Who comes and goes.

    def connect(
        self, session_id: str, outbox: Outbox, *, is_trusted: bool = False, host: str = ""
    ) -> Session:
        """Somebody is at a door. The first frame has to be HELLO."""
        self._numbers += 1
        return Session(self._numbers, session_id, outbox, is_trusted=is_trusted, host=host)

    def leave(self, session: Session) -> None:
        """The connection is gone: its subscriptions and locks go with it."""
        session.stage = Stage.GONE
        session.is_plain = False
        self.ground.sessions.pop(session.id, None)
        self.ground.subscriptions.remove_all(session)
        self._delivery.pacing.forget(session)

    def restore(self, params: Iterable[ParamSnapshot], revision_floor: int, now: int) -> None:
        """Take over what the journal remembers; once, or in parts."""
        self.ground.topics.restore(params, now)
        self.ground.topics.revision_floor = max(self.ground.topics.revision_floor, revision_floor)

    def restored(self) -> None:
        """The state is complete: timers start."""
        for topic in self.ground.topics.in_order:
            self._params.note_expiry(topic)

    def advance(self, now: int) -> int | None:
        """Do what has become due; say when to come again."""
        self.ground.agenda.advance(now)
        return self.ground.agenda.next_due

    def review(self) -> list[Session]:
        """The rights of tokens have changed: end what they forbid; the sessions that stay, with others."""
        return self._admission.review()

    # What they say.

    def receive(self, session: Session, frames: Iterator[bytes], now: int) -> None:
        """Frames of a session, in order. Never raises for anything that a peer can send; if something else is
        wrong, the frames after the one that met it are still there to be received."""
        while (frame := self.take(session, frames, now)) is not None:
            self._receive_one(session, frame, now)

    def _receive_one(self, session: Session, frame: bytes, now: int) -> None:
        try:
            if session.stage is _LIVE:
                if not session.is_plain:
                    self._admission.count_message(session, now)
                self._receive_fully(session, frame, now)
            elif session.stage is Stage.GREETING:
                self._admission.greet(session, codec.decode(decode_frame(frame).payload), now)
        except BadInput as fault:
            self._admission.answer_fault(session, fault, now)

    def _receive_fully(self, session: Session, data: bytes, now: int) -> None:
        frame = decode_frame(data)
        message = codec.decode(frame.payload)
        self.ground.tally.received[type(message).__name__] += 1
        handler = self._handlers.get(type(message))
        if handler is not None:
            try:
                handler(session, message, frame, now)
            except BadInput as fault:
                fault.about = fault.about or _subject(message)
                raise

    def _table(self) -> dict[type[Message], Handler]:
        """What is done with each message; those that only a router sends are not here, and are ignored."""
        listening = self._listening
        return {
            Hello: self._hello_again,
            Subscribe: lambda session, request, frame, now: listening.subscribe(session, request, now),
            Unsubscribe: lambda session, request, frame, now: listening.unsubscribe(session, request),
            Publish: self._publish,
            Set: self._set,
            Get: self._get,
            Replay: lambda session, request, frame, now: listening.replay(session, request, frame.qos),
            JournalDo: lambda session, request, frame, now: listening.journal_do(session, request),
            Bundle: lambda session, request, frame, now: self._bundles.receive(
                request, session, frame.qos, now
            ),
            Announce: self._announce,
            Query: self._query,
            Sync: self._sync,
            Ping: lambda session, request, frame, now: self._ports.reply(session, _PONG),
            FederationSync: self._federation_sync,
        }

    def _hello_again(self, session: Session, request: Hello, frame: Frame, now: int) -> None:
        raise Refusal(ErrorCode.INVALID_MESSAGE, "HELLO was said already; the session goes on")

    def _set(self, session: Session, request: Set, frame: Frame, now: int) -> None:
        self.ground.demand_accepting()
        topic = self._params.set(request, session, now)
        if frame.qos:
            self._ports.acknowledge(session, (topic.packed_ack(),), frame.qos)

    def _publish(self, session: Session, request: Publish, frame: Frame, now: int) -> None:
        if not request.address.startswith(P2P_SIGNAL):
            self.ground.demand_accepting()
        is_binary = not legacy.is_legacy(frame.payload[0])
        payload = self._signals.check(request, session, frame.payload if is_binary else None)
        self._signals.apply(request, payload, frame.qos, session, now)
        if frame.qos == COMMIT:
            self._ports.acknowledge(session, (packed_ack(request.address),), COMMIT)

    def _get(self, session: Session, request: Get, frame: Frame, now: int) -> None:
        topic = self._params.get(request.address, session, now)
        if topic is not None:
            limits = self.ground.limits
            for answer in snapshots((topic,), limits.snapshot_params, limits.snapshot_bytes):
                self._ports.reply(session, answer)

    def _announce(self, session: Session, request: Announce, frame: Frame, now: int) -> None:
        self._definitions.announce(request, session)
        if frame.qos:
            self._ports.acknowledge(session, (packed(Ack(address=request.namespace)),), frame.qos)

    def _query(self, session: Session, request: Query, frame: Frame, now: int) -> None:
        self._ports.stream(session, self._definitions.query(Pattern.parse(request.pattern), session.access))

    def _sync(self, session: Session, request: Sync, frame: Frame, now: int) -> None:
        self._ports.reply(session, packed(Sync(request.t1, now, now)))

    def _federation_sync(self, session: Session, request: FederationSync, frame: Frame, now: int) -> None:
        if not session.features & Feature.FEDERATION:
            raise Refusal(ErrorCode.REFUSED, "HELLO did not offer federation")
        raise Refusal(ErrorCode.UNAVAILABLE, "this router does not federate")


def _subject(message: Message) -> str | None:
    """The address or pattern by which a client knows its request again."""
    match message:
        case Set() | Publish() | Get():
            return message.address
        case Subscribe() | Replay() | Query():
            return message.pattern
        case Announce():
            return message.namespace
    return None
