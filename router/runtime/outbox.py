"""What is on its way to one session.

Law: bounded. A session that takes what it is sent has only the bytes of the current tick here; one that does
not has a `Backlog`, whose docstring says what happens when it is full. The limit is for that and for what the
pipe had been given before. While too many answers wait, the session is not read: it has to take what it asked
for before it may ask for more.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from enum import IntFlag
from typing import Final, Self

from router.core.limits import KIB, MIB
from router.core.ports import Fate
from router.core.topics import Topic
from router.runtime.backlog import Backlog
from router.runtime.door import Pipe

WRITE_BYTES: Final = 1 * MIB
"""What may gather within one tick before it is written."""
_PIPE_SHARE: Final = 8
"""Of a limit, this part at the most is for what the pipe holds when it is full: one write, about."""
_DRAIN_BYTES: Final = 64 * KIB
_ANSWERS_MAX_BYTES: Final = 1 * MIB
"""Unread answers beyond which a session is not read."""
_STREAMS_MAX: Final = 1_000
"""Streamed answers, and answers behind them, beyond which a session is not read; nor is it when those behind
them are as many bytes as unread answers may be."""


class PauseReason(IntFlag):
    """Why a session is not read at the moment."""

    RESTORING = 1
    """The state is not complete."""
    ANSWERS = 2
    """It does not take the answers that wait for it."""
    JOURNAL = 4
    """It writes faster than the journal can."""
    STOPPING = 8
    """The router is about to end."""
    STREAMS = 16
    """It asks faster than answers are made for it."""
    ERRANDS = 32
    """It asks more of the journal than is done for one session at a time."""


class Following:
    """Answers that wait behind a stream, so that answers leave in the order of the questions."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if not self._parts:
            raise StopIteration
        packed = b"".join(self._parts)
        self._parts = []
        return packed

    def __len__(self) -> int:
        return len(self._parts)

    def add(self, packed: bytes) -> None:
        """One more; they leave together."""
        self._parts.append(packed)


class Outbox:
    """The writing side of one session. `out` is appended to directly where every nanosecond counts."""

    __slots__ = (
        "_following_bytes",
        "_holds",
        "_is_pipe_full",
        "_limit_bytes",
        "_on_hopeless",
        "_pauses",
        "_room",
        "acks",
        "backlog",
        "is_blocked",
        "is_open",
        "is_pulling",
        "out",
        "out_bytes",
        "pipe",
        "streams",
    )

    def __init__(self, pipe: Pipe, limit_bytes: int, on_hopeless: Callable[[], None]) -> None:
        self.pipe = pipe
        self._limit_bytes = limit_bytes
        self._on_hopeless = on_hopeless
        self._pauses = PauseReason(0)
        self._room: asyncio.Future[None] | None = None
        self._is_pipe_full = False
        self._holds = 0
        self.is_blocked = False
        """Whether what comes has to wait in the backlog: the pipe is full, or deliveries are held."""
        self.is_open = True
        self.out: list[bytes] = []
        """What this tick has brought. With something in it, it is on the list of those to be flushed at the
        end of the tick."""
        self.out_bytes = 0
        """How much that is, if there is anything in it."""
        self.acks: list[bytes] = []
        """ACKs of this tick, which wait for the journal."""
        self.streams: deque[Iterator[bytes]] = deque()
        self._following_bytes = 0
        """Of the answers behind streams, since there are any."""
        self.is_pulling = False
        """Whether it is in the round of those whose streams are pulled."""
        self.backlog: Backlog | None = None

    @property
    def waiting_bytes(self) -> int:
        """What its reader has not taken yet, as far as it is here."""
        return self.backlog.size_bytes if self.backlog is not None else 0

    @property
    def pauses(self) -> PauseReason:
        """Why the session is not read at the moment, if it is not."""
        return self._pauses

    def flush(self) -> None:
        """Write what the tick has brought."""
        out = self.out
        if out:
            self.out = []
            self.pipe.write(out[0] if len(out) == 1 else b"".join(out))

    def wait(self, run: Iterable[bytes], topics: Iterable[Topic], fate: Fate) -> None:
        """Let deliveries wait for a session that is blocked."""
        backlog = self._obtain_backlog()
        for packed, topic in zip(run, topics, strict=True):
            backlog.add(packed, topic, fate)
        if backlog.is_hopeless:
            self._on_hopeless()
        self._heed_answers(backlog)

    def wait_answer(self, packed: bytes) -> None:
        """Let an answer wait for a session that is blocked."""
        backlog = self._obtain_backlog()
        backlog.add_answer(packed)
        self._heed_answers(backlog)

    def add_stream(self, frames: Iterator[bytes]) -> None:
        """Queue an answer that is made while the session takes it, after those before it."""
        self.streams.append(frames)
        if len(self.streams) > _STREAMS_MAX:
            self.pause(PauseReason.STREAMS)

    def follow_streams(self, packed: bytes) -> None:
        """Queue an answer that is made already, after the streams before it."""
        last = self.streams[-1]
        if not isinstance(last, Following):
            last = Following()
            self.add_stream(last)
        last.add(packed)
        self._following_bytes += len(packed)
        if len(last) > _STREAMS_MAX or self._following_bytes > _ANSWERS_MAX_BYTES:
            self.pause(PauseReason.STREAMS)

    def end_stream(self) -> None:
        """The oldest stream has come to its end."""
        self.streams.popleft()
        if not self.streams:
            self._following_bytes = 0
            self.resume(PauseReason.STREAMS)

    def write_past(self, packed: bytes) -> None:
        """Write something before all that is held."""
        self.flush()
        self.pipe.write(packed)

    def block(self) -> None:
        """The pipe is full: what comes from now on waits here."""
        self._is_pipe_full = self.is_blocked = True

    def unblock(self) -> None:
        """The pipe has room: write what waits."""
        self._is_pipe_full = False
        self._tell_room()
        self._drain()

    def hold(self) -> None:
        """Let deliveries wait until `release`."""
        self.flush()
        self._holds += 1
        self.is_blocked = True

    def release(self) -> None:
        """End a hold; after the last one, write what waits."""
        self._holds -= 1
        self._tell_room()
        self._drain()

    async def room(self, *, behind_holds: bool = False) -> None:
        """Wait until the pipe has room, or is gone; for what comes behind holds, until those have ended."""
        while self._is_pipe_full or (behind_holds and self._holds and self.is_open):
            if self._room is None:
                self._room = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._room)

    def pause(self, reason: PauseReason) -> None:
        """Do not read the session, for one more reason."""
        if not self._pauses:
            self.pipe.pause_reading()
        self._pauses |= reason

    def resume(self, reason: PauseReason) -> None:
        """Read the session again, if this was the only reason not to."""
        if self._pauses & reason:
            self._pauses &= ~reason
            if not self._pauses:
                self.pipe.resume_reading()

    def close(self, code: int, reason: str) -> None:
        """Send what this tick has brought and what was answered already, and end the connection."""
        self.flush()
        for stream in self.streams:
            if isinstance(stream, Following):
                self.pipe.write(next(stream, b""))
        self.pipe.close(code, reason)

    def abort(self) -> None:
        """End the connection now."""
        self.pipe.abort()

    def lose(self) -> None:
        """The connection is gone: nothing waits any more, and nobody for it."""
        self.is_open = False
        self._is_pipe_full = False
        self._tell_room()
        self.out, self.acks = [], []
        self.streams.clear()
        self.backlog = None
        # Whoever is told knows this outbox, and it them: a cycle would keep both.
        self._on_hopeless = _tell_nobody

    def _heed_answers(self, backlog: Backlog) -> None:
        """Who does not take its answers asks for no more of them."""
        if backlog.answer_bytes > _ANSWERS_MAX_BYTES:
            self.pause(PauseReason.ANSWERS)

    def _drain(self) -> None:
        """Write what waits, until the pipe is full again."""
        backlog = self.backlog
        while backlog and not self._is_pipe_full and not self._holds:
            self.pipe.write(backlog.take(_DRAIN_BYTES))
        self.is_blocked = self._is_pipe_full or self._holds > 0
        if not self.is_blocked or not (backlog and backlog.answer_bytes):
            self.resume(PauseReason.ANSWERS)

    def _tell_room(self) -> None:
        if self._room is not None:
            self._room.set_result(None)
            self._room = None

    def _obtain_backlog(self) -> Backlog:
        if self.backlog is None:
            in_pipe_bytes = min(WRITE_BYTES, self._limit_bytes // _PIPE_SHARE)
            self.backlog = Backlog(self._limit_bytes - in_pipe_bytes)
        return self.backlog


def _tell_nobody() -> None:
    """Nothing can become hopeless any more."""
