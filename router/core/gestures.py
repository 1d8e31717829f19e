"""Gestures: their moves are thinned to the newest, their start and end never.

Laws: a move waits for one window at most; start, end and cancel pass at once and in order, after a move
that still waits; nothing comes back to who made the gesture.
"""

from __future__ import annotations

from clasp_journal.entry import Phase, SignalType
from router.core.delivery import Delivery
from router.core.ground import Ground
from router.core.pacing import Update
from router.core.ports import Fate
from router.core.session import Session
from router.core.topics import Topic
from router.wire.messages import Publish

_Key = tuple[Session, bytes, int]
"""Who makes it, at which address, under which id."""


class _Gesture:
    """One gesture under way: whether a window is open, and the move that waits for its end."""

    __slots__ = ("sender", "topic", "waiting")

    def __init__(self, sender: Session, topic: Topic) -> None:
        self.sender = sender
        self.topic = topic
        self.waiting: bytes | None = None


class Gestures:
    """Those under way whose last move is younger than a window."""

    def __init__(self, ground: Ground, delivery: Delivery) -> None:
        self._ground = ground
        self._delivery = delivery
        self._open: dict[_Key, _Gesture] = {}

    def publish(self, request: Publish, packed: bytes, topic: Topic, session: Session, now: int) -> None:
        """Deliver one message of a gesture, or let it wait for its window."""
        key = (session, topic.address, request.gesture_id or 0)
        gesture = self._open.get(key)
        if request.phase is Phase.MOVE:
            if gesture is not None:
                if gesture.waiting is not None:
                    self._ground.tally.gestures_thinned += 1
                gesture.waiting = packed
                return
            gesture = _Gesture(session, topic)
            self._open_window(key, gesture, now)
        elif gesture is not None:
            self._let_go(gesture, now)
        fate = Fate.DROP if request.phase is Phase.MOVE else Fate.KEEP
        self._deliver(topic, packed, fate, session, now)

    def _open_window(self, key: _Key, gesture: _Gesture, now: int) -> None:
        if len(self._open) < self._ground.limits.gestures:
            self._open[key] = gesture
            self._note_end(key, now)

    def _note_end(self, key: _Key, now: int) -> None:
        due = now + self._ground.limits.gesture_window_us
        self._ground.agenda.note(due, lambda when: self._end_window(key, when))

    def _end_window(self, key: _Key, now: int) -> None:
        gesture = self._open[key]
        if gesture.waiting is None:
            del self._open[key]
            return
        self._let_go(gesture, now)
        self._note_end(key, now)

    def _let_go(self, gesture: _Gesture, now: int) -> None:
        waiting, gesture.waiting = gesture.waiting, None
        if waiting is not None:
            self._deliver(gesture.topic, waiting, Fate.DROP, gesture.sender, now)

    def _deliver(self, topic: Topic, packed: bytes, fate: Fate, sender: Session, now: int) -> None:
        self._delivery.signal(topic, Update(packed, fate, SignalType.GESTURE, None), sender, now)
