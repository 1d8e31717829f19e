"""What waits for a reader that is too slow, in order, and what becomes of it when there is too much.

Until it is full it keeps everything. Full, it costs its owner only: of a param the newest value alone stays,
at the place of that newest; then samples go, the oldest first; events and answers never do. If those alone
are too many, the owner cannot be served any longer (`is_hopeless`).

Events in a row wait as one piece, since each by itself would take many times its bytes.

A param that is conflated takes no room: its message is made from the live topic when its turn comes, which is
its newest value, because a newer one would have moved it to the end. So they are bounded by the number of
params.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import NamedTuple

from router.core.limits import KIB
from router.core.ports import Fate
from router.core.topics import ABSENT, Topic

_LIVE = b""
"""Stands for the message of a conflated param."""
_PIECE_BYTES = 16 * KIB
"""Events in a row that wait as one, at least."""


class _Waiting(NamedTuple):
    packed: bytes | bytearray
    fate: Fate
    topic: Topic | None


class Backlog:
    """The messages one reader has not taken yet."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._waiting: OrderedDict[int | Topic, _Waiting] = OrderedDict()
        self._samples: deque[int] = deque()
        self._open_piece: bytearray | None = None
        """The events at the very end, while more may join them."""
        self._added = 0
        self._is_conflating = False
        self.size_bytes = 0
        self.answer_bytes = 0
        """How much of it are answers, which only their reader can work off."""
        self.conflated = 0
        self.dropped = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def is_hopeless(self) -> bool:
        """Whether even what must not be dropped is too much."""
        return self.size_bytes - self.answer_bytes > self._limit_bytes

    def add(self, packed: bytes, topic: Topic, fate: Fate) -> None:
        """One more delivery."""
        if fate is Fate.CONFLATE and self._is_conflating:
            self._conflate(topic)
            return
        if fate is Fate.KEEP:
            self._add_event(packed, topic)
        else:
            if fate is Fate.DROP:
                self._samples.append(self._added)
            self._put(_Waiting(packed, fate, topic))
        if self.size_bytes - self.answer_bytes > self._limit_bytes:
            self._shrink()

    def add_answer(self, packed: bytes) -> None:
        """One more answer."""
        self.answer_bytes += len(packed)
        self._put(_Waiting(packed, Fate.KEEP, None))

    def take(self, max_bytes: int) -> bytes:
        """The next messages, at least one, up to about so many bytes."""
        parts: list[bytes | bytearray] = []
        size_bytes = 0
        self._open_piece = None
        while self._waiting and size_bytes < max_bytes:
            key, (packed, _, topic) = self._waiting.popitem(last=False)
            if packed is _LIVE:
                assert topic is not None
                packed = topic.packed_set() if topic.kind != ABSENT else _LIVE
            else:
                self._leave(key, packed, topic)
            parts.append(packed)
            size_bytes += len(packed)
        if not self._waiting:
            self._is_conflating = False
            self._samples.clear()
        return b"".join(parts)

    def _add_event(self, packed: bytes, topic: Topic) -> None:
        piece = self._open_piece
        if piece is not None and len(piece) < _PIECE_BYTES:
            piece += packed
            self.size_bytes += len(packed)
            return
        piece = bytearray(packed)
        self._put(_Waiting(piece, Fate.KEEP, topic))
        self._open_piece = piece

    def _put(self, waiting: _Waiting) -> None:
        self._open_piece = None
        self._waiting[self._added] = waiting
        self._added += 1
        self.size_bytes += len(waiting.packed)

    def _leave(self, key: int | Topic, packed: bytes | bytearray, topic: Topic | None) -> None:
        self.size_bytes -= len(packed)
        if topic is None:
            self.answer_bytes -= len(packed)
        elif self._samples and self._samples[0] == key:
            self._samples.popleft()

    def _conflate(self, topic: Topic) -> None:
        self._open_piece = None
        if self._waiting.pop(topic, None) is not None:
            self.conflated += 1
        self._waiting[topic] = _Waiting(_LIVE, Fate.CONFLATE, topic)

    def _shrink(self) -> None:
        if not self._is_conflating:
            self._is_conflating = True
            kept, self._waiting = self._waiting, OrderedDict()
            for key, waiting in kept.items():
                if waiting.fate is Fate.CONFLATE and waiting.topic is not None:
                    self.size_bytes -= len(waiting.packed)
                    self._conflate(waiting.topic)
                else:
                    self._waiting[key] = waiting
        while self.size_bytes - self.answer_bytes > self._limit_bytes and self._samples:
            dropped = self._waiting.pop(self._samples.popleft(), None)
            if dropped is not None:
                self.size_bytes -= len(dropped.packed)
                self.dropped += 1
