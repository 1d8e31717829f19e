"""The tick: all that the core says while the loop hands over what has arrived leaves in one go at its end.

Laws: whoever calls the core calls `begin` first; one write per session and tick; what several readers get is
joined once for all of them (`spread`), and bounded, so that one big read does not delay everybody;
a tick's entries are handed to the journal before any ACK for them is written; nobody waits here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from router.core.answers import address_of_ack, code_of_error, packed_error
from router.core.limits import KIB
from router.core.ports import Fate
from router.core.session import Session
from router.core.subscriptions import Readers
from router.core.tally import Tally
from router.core.topics import Topic
from router.runtime.keeping import Ack, Keeping
from router.runtime.outbox import WRITE_BYTES, Outbox
from router.runtime.spread import Spread, Stretch
from router.wire.codes import ErrorCode
from router.wire.frame import COMMIT

# Looking up a member of an enum costs more than all the rest of a line.
_CONFLATE: Final = Fate.CONFLATE
_SPREAD_BYTES: Final = 256 * KIB
_PULLS_PER_TICK: Final = 2
"""Streamed answers made in one tick, of all sessions; one takes about a millisecond at the most."""


class Exchange:
    """The ports that are about what leaves: reply, stream, deliver, acknowledge."""

    def __init__(self, loop: asyncio.AbstractEventLoop, keeping: Keeping, tally: Tally) -> None:
        self._loop = loop
        self._tally = tally
        self._keeping = keeping
        keeping.release = self._release
        self.at_end: Callable[[], None] = _nothing
        """Called when a tick has ended."""
        self._is_begun = False
        self._dirty: list[Outbox] = []
        self._acking: list[Outbox] = []
        self._pulling: deque[Outbox] = deque()
        self._spread = Spread()

    def begin(self) -> None:
        """Something is about to happen: see to it that the tick ends."""
        if not self._is_begun:
            self._is_begun = True
            self._loop.call_soon(self.flush)

    def deliver(
        self,
        readers: Readers,
        messages: Sequence[bytes],
        topics: Sequence[Topic],
        fate: Fate,
        sender: Session | None,
    ) -> None:
        """Messages for a group of readers."""
        spread = self._spread
        spread.add(readers, messages, topics, fate, sender)
        excluded = sender is not None and fate is not _CONFLATE
        self._tally.deliveries += (len(readers.members) - excluded) * len(messages)
        if spread.size_bytes > _SPREAD_BYTES:
            self.settle()

    def reply(self, session: Session, packed: bytes) -> None:
        """An answer to one session, after all that was delivered before, and all that it asked before."""
        code = code_of_error(packed)
        if code is not None:
            self._tally.errors[code] += 1
        if self._spread:
            self.settle()
        outbox: Outbox = session.outbox
        if outbox.streams:
            outbox.follow_streams(packed)
        else:
            self.answer(outbox, packed)

    def stream(self, session: Session, frames: Iterator[bytes]) -> None:
        """Answers that are made as the session takes them."""
        outbox: Outbox = session.outbox
        outbox.add_stream(frames)
        self.pull(outbox)

    def acknowledge(self, session: Session, acks: Sequence[bytes], qos: int) -> None:
        """ACKs that wait for the journal."""
        if self._keeping.is_missing:
            reason = "done, but the journal could not keep it"
            for packed in acks:
                self.reply(session, packed_error(ErrorCode.INTERNAL, reason, address_of_ack(packed)))
            return
        outbox: Outbox = session.outbox
        if not outbox.acks:
            self._acking.append(outbox)
        outbox.acks += acks
        if qos == COMMIT:
            self._keeping.demands_sync = True

    def answer(self, outbox: Outbox, packed: bytes) -> None:
        """Packed messages for one session that must not be dropped."""
        if outbox.is_blocked:
            outbox.wait_answer(packed)
            return
        if not outbox.out:
            outbox.out_bytes = 0
            self._dirty.append(outbox)
            self.begin()
        outbox.out.append(packed)
        outbox.out_bytes += len(packed)
        if outbox.out_bytes > WRITE_BYTES:
            # Small questions can have large answers: who does not take them blocks the pipe now.
            outbox.flush()

    def pull(self, outbox: Outbox) -> None:
        """Go on with the streams of a session, if it has any and takes them."""
        if outbox.streams and not outbox.is_pulling and not outbox.is_blocked:
            outbox.is_pulling = True
            self._pulling.append(outbox)
            self.begin()

    def settle(self) -> None:
        """Hand all deliveries so far to their outboxes."""
        if not self._spread:
            return
        dirty = self._dirty
        for readers, excluding, joined, stretches in self._spread.take():
            size_bytes = len(joined)
            for session in readers:
                if session is excluding:
                    continue
                outbox: Outbox = session.outbox
                if outbox.is_blocked:
                    _let_wait(session, stretches)
                    continue
                out = outbox.out
                if not out:
                    outbox.out_bytes = size_bytes
                    dirty.append(outbox)
                    out.append(joined)
                    continue
                out.append(joined)
                outbox.out_bytes += size_bytes
                if outbox.out_bytes > WRITE_BYTES:
                    outbox.flush()

    def flush(self) -> None:
        """End the tick."""
        self._is_begun = False
        self.settle()
        if self._pulling:
            self._pull_streams()
        if self._keeping.recorder is None:
            self._keep()
            self._write()
        else:
            # Readers first; of ACKs there are none yet, but those of what is committed already.
            self._write()
            self._keep()
            self._write()
        self.at_end()

    def _write(self) -> None:
        dirty, self._dirty = self._dirty, []
        for outbox in dirty:
            # As little as possible between two system calls, after each of which everything is slow.
            out = outbox.out
            if len(out) == 1:
                outbox.pipe.write(out.pop())
            else:
                outbox.flush()

    def _pull_streams(self) -> None:
        """Make a few of the answers that are streamed, each session in its turn."""
        pulling = self._pulling
        for _ in range(min(_PULLS_PER_TICK, len(pulling))):
            outbox = pulling.popleft()
            outbox.is_pulling = False
            if not outbox.streams or outbox.is_blocked:
                continue
            packed = next(outbox.streams[0], None)
            if packed is None:
                outbox.end_stream()
            elif packed:
                self.answer(outbox, packed)
            self.pull(outbox)
        if pulling:
            self.begin()

    def _keep(self) -> None:
        """Hand over the tick's entries, and send the ACKs that need not wait for them."""
        acking, self._acking = self._acking, []
        acks: list[Ack] = []
        for outbox in acking:
            acks.append((outbox, b"".join(outbox.acks)))
            outbox.acks = []
        self._release(self._keeping.hand_over(acks))

    def _release(self, acks: Iterable[Ack]) -> None:
        for outbox, packed in acks:
            if outbox.is_open:
                self.answer(outbox, packed)


def _let_wait(session: Session, stretches: Iterable[Stretch]) -> None:
    outbox: Outbox = session.outbox
    for stretch in stretches:
        fate = stretch.fate_for(session)
        for messages, topics in stretch.pieces:
            outbox.wait(messages, topics, fate)


def _nothing() -> None:
    pass
