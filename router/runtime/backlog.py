"""What waits for a reader that is too slow, in order, and what becomes of it when there is too much.

Until it is full it keeps everything. Full, it costs its owner only: of a param the newest value alone stays,
at the place of that newest; then samples go, the oldest first; events and answers never do, and a param is an
answer to whoever has set it. If events alone are too many, the owner cannot be served any longer
(`is_hopeless`).

What it takes is counted with what Python needs to keep it, which for a short message that waits by itself is
many times its bytes. So events in a row wait as one piece, and answers in a row as well.

A param that is conflated takes no room: its message is made from the live topic when its turn comes, which is
its newest value, because a newer one would have moved it to the end. So they are bounded by the number of
params.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import NamedTuple

from router.core.limits import KIB
from router.core.ports import Fate
from router.core.topics import ABSENT, Topic

PLACE_BYTES = 250
"""What a place in the order takes, besides the bytes that wait there."""
_PIECE_BYTES = 16 * KIB
"""Events or answers in a row that wait as one, at least."""


class _Waiting(NamedTuple):
    packed: bytes | bytearray
    fate: Fate
    topic: Topic | None
    """None: answers that are no params."""

    @property
    def is_answer(self) -> bool:
        """Whether only their reader can work it off."""
        return self.topic is None or self.fate is Fate.ECHO


_LIVE = _Waiting(b"", Fate.CONFLATE, None)
"""Stands for the message of a conflated param, whose place has its topic for a key."""


class Backlog:
    """The messages one reader has not taken yet."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._waiting: OrderedDict[int | Topic, _Waiting] = OrderedDict()
        self._samples: deque[int] = deque()
        self._open_piece: bytearray | None = None
        """The events, or answers, at the very end, while more may join them."""
        self._open_answers = False
        """Whether these are answers."""
        self._added = 0
        self._is_conflating = False
        self.size_bytes = 0
        """What all of it takes."""
        self.answer_bytes = 0
        """How much of that are answers, which only their reader can work off."""
        self.conflated = 0
        self.dropped = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def is_hopeless(self) -> bool:
        """Whether even what must not be dropped is too much."""
        return self.size_bytes - self.answer_bytes > self._limit_bytes

    def add(self, packed: bytes, topic: Topic, fate: Fate) -> None:
        """Let a delivery wait."""
        if fate is Fate.CONFLATE and self._is_conflating:
            self._conflate(topic)
            return
        if fate is Fate.KEEP:
            self._extend(packed, topic)
        elif fate is Fate.ECHO:
            self._supersede(topic)
            self._put(_Waiting(packed, fate, topic))
            self.answer_bytes += len(packed) + PLACE_BYTES
        else:
            if fate is Fate.DROP:
                self._samples.append(self._added)
            self._put(_Waiting(packed, fate, topic))
        if self.size_bytes - self.answer_bytes > self._limit_bytes:
            self._shrink()

    def add_answer(self, packed: bytes) -> None:
        """Let an answer wait."""
        before_bytes = self.size_bytes
        self._extend(packed, None)
        self.answer_bytes += self.size_bytes - before_bytes

    def take(self, max_bytes: int) -> bytes:
        """The next messages, at least one, up to about so many bytes."""
        parts: list[bytes | bytearray] = []
        size_bytes = 0
        self._open_piece = None
        while self._waiting and size_bytes < max_bytes:
            key, waiting = self._waiting.popitem(last=False)
            packed: bytes | bytearray = b""
            if not isinstance(key, Topic):
                packed = waiting.packed
                self._leave(key, waiting)
            elif key.kind != ABSENT:
                packed = key.packed_set()
            parts.append(packed)
            size_bytes += len(packed)
        if not self._waiting:
            self._is_conflating = False
            self._samples.clear()
        return b"".join(parts)

    def forget(self, is_closed: Callable[[Topic], bool]) -> None:
        """Drop the params and samples of topics that their reader may not read any more. Of a param it would
        get a value that it has after that."""
        for key, waiting in list(self._waiting.items()):
            if isinstance(key, Topic):
                if is_closed(key):
                    del self._waiting[key]
            elif (
                waiting.fate in (Fate.CONFLATE, Fate.DROP)
                and waiting.topic is not None
                and is_closed(waiting.topic)
            ):
                del self._waiting[key]
                self._leave(key, waiting)

    def _extend(self, packed: bytes, topic: Topic | None) -> None:
        """One more of what must not be dropped: events, which have a topic, or answers."""
        piece = self._open_piece
        if piece is not None and len(piece) < _PIECE_BYTES and self._open_answers == (topic is None):
            piece += packed
            self.size_bytes += len(packed)
            return
        piece = bytearray(packed)
        self._put(_Waiting(piece, Fate.KEEP, topic))
        self._open_piece = piece
        self._open_answers = topic is None

    def _close_piece(self) -> None:
        """Keep it in exactly its bytes: one that grows has room to spare."""
        if self._open_piece is not None:
            key, waiting = self._waiting.popitem()
            self._waiting[key] = waiting._replace(packed=bytes(self._open_piece))
            self._open_piece = None

    def _put(self, waiting: _Waiting) -> None:
        self._close_piece()
        self._waiting[self._added] = waiting
        self._added += 1
        self.size_bytes += len(waiting.packed) + PLACE_BYTES

    def _leave(self, key: int, waiting: _Waiting) -> None:
        taken_bytes = len(waiting.packed) + PLACE_BYTES
        self.size_bytes -= taken_bytes
        if waiting.is_answer:
            self.answer_bytes -= taken_bytes
        elif self._samples and self._samples[0] == key:
            self._samples.popleft()

    def _conflate(self, topic: Topic) -> None:
        self._close_piece()
        self._supersede(topic)
        self._waiting[topic] = _LIVE

    def _supersede(self, topic: Topic) -> None:
        """What is conflated of a param gives way to what comes now: in its place it would be told the newest
        value already, before those that its reader has set on the way there."""
        if self._waiting.pop(topic, None) is not None:
            self.conflated += 1

    def _shrink(self) -> None:
        if not self._is_conflating:
            self._is_conflating = True
            self._close_piece()
            kept, self._waiting = self._waiting, OrderedDict()
            for key, waiting in kept.items():
                if waiting.fate is Fate.CONFLATE and waiting.topic is not None:
                    self.size_bytes -= len(waiting.packed) + PLACE_BYTES
                    self._conflate(waiting.topic)
                    continue
                if waiting.fate is Fate.ECHO and waiting.topic is not None:
                    self._supersede(waiting.topic)
                self._waiting[key] = waiting
        while self.size_bytes - self.answer_bytes > self._limit_bytes and self._samples:
            dropped = self._waiting.pop(self._samples.popleft(), None)
            if dropped is not None:
                self.size_bytes -= len(dropped.packed) + PLACE_BYTES
                self.dropped += 1
