"""Gestures: their moves are thinned to the newest, their start and end never.

Laws: a move waits for one window at most; start, end and cancel pass at once and in order, after a move
that still waits; nothing comes back to who made the gesture.
"""

from __future__ import annotations

from clasp_journal.entry import Phase, SignalType
from router.core.delivery import Delivery
from router.core.ground import Ground
from router.core.ports import Fate
from router.core.session import Session
from router.core.topics import Topic

_Key = tuple[Session, Topic, int]


class _Gesture:
    """One gesture under way: whether a window is open, and the move that waits for its end."""

    __slots__ = ("waiting",)

    def __init__(self) -> None:
        self.waiting: bytes | None = None


class Gestures:
    """Those under way whose last move is younger than a window."""

    def __init__(self, ground: Ground, delivery: Delivery) -> None:
        self._ground = ground
        self._delivery = delivery
        self._open: dict[_Key, _Gesture] = {}

    def publish(self, key: _Key, phase: Phase, packed: bytes, now: int) -> None:
        """One message of the gesture that this session makes at this topic under this id."""
        gesture = self._open.get(key)
        if phase is not Phase.MOVE:
            if gesture is not None and gesture.waiting is not None:
                self._deliver(key, gesture.waiting, Fate.DROP, now)
                gesture.waiting = None
            self._deliver(key, packed, Fate.KEEP, now)
        elif gesture is not None:
            gesture.waiting = packed
        else:
            self._deliver(key, packed, Fate.DROP, now)
            self._open_window(key, now)

    def _open_window(self, key: _Key, now: int) -> None:
        if len(self._open) < self._ground.limits.gestures:
            self._open[key] = _Gesture()
            self._note_end(key, now)

    def _note_end(self, key: _Key, now: int) -> None:
        due = now + self._ground.limits.gesture_window_us
        self._ground.agenda.note(due, lambda when: self._end_window(key, when))

    def _end_window(self, key: _Key, now: int) -> None:
        gesture = self._open[key]
        if gesture.waiting is None:
            del self._open[key]
            return
        self._deliver(key, gesture.waiting, Fate.DROP, now)
        gesture.waiting = None
        self._note_end(key, now)

    def _deliver(self, key: _Key, packed: bytes, fate: Fate, now: int) -> None:
        sender, topic, _ = key
        self._delivery.signal(topic, SignalType.GESTURE, (packed, fate, None), sender, now)
