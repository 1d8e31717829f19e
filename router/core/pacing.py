"""Updates thinned out for those who asked for fewer: max_rate, window and epsilon.

Laws: thinning concerns delivery only; an update is held back for one interval at most, and the last one
always arrives; a change smaller than epsilon, measured from what was sent last, is none.
"""

from __future__ import annotations

from clasp_journal.value import ValueType, read_data
from router.core.ground import Ground
from router.core.ports import Fate
from router.core.session import Session
from router.core.subscriptions import Pace, Readers
from router.core.topics import Topic

_NUMBERS = range(ValueType.I8, ValueType.F64 + 1)


class _Course:
    """What one session has got of one topic, and what waits."""

    __slots__ = ("number", "sent_at", "waiting")

    def __init__(self) -> None:
        self.sent_at: int | None = None
        self.number: float | None = None
        self.waiting: tuple[bytes, Fate, float | None] | None = None


class Pacing:
    """Every thinned course, by session and topic."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._courses: dict[Session, dict[Topic, _Course]] = {}
        self._alone: dict[Session, Readers] = {}

    def offer(
        self, session: Session, topic: Topic, update: tuple[bytes, Fate, bytes | None], now: int
    ) -> None:
        """An update (packed, its fate, its encoded value) for one session that wants them thinned out."""
        packed, fate, encoded = update
        pace = self._pace(session, topic)
        course = self._course(session, topic)
        if pace is None or course is None:
            self._deliver(session, topic, packed, fate)
            return
        number = _number(encoded)
        if course.waiting is not None:
            course.waiting = (packed, fate, number)
        elif _is_small(pace, course.number, number):
            return
        elif course.sent_at is None or now - course.sent_at >= pace.interval_us:
            self._send(session, topic, course, (packed, fate, number), now)
        else:
            course.waiting = (packed, fate, number)
            self._ground.agenda.note(
                course.sent_at + pace.interval_us, lambda due: self._release(session, topic, due)
            )

    def forget(self, session: Session) -> None:
        """The session is gone."""
        self._courses.pop(session, None)
        self._alone.pop(session, None)

    def _release(self, session: Session, topic: Topic, now: int) -> None:
        course = self._courses.get(session, {}).get(topic)
        if course is not None and course.waiting is not None:
            waiting, course.waiting = course.waiting, None
            if self._pace(session, topic) is not None:
                self._send(session, topic, course, waiting, now)

    def _send(
        self,
        session: Session,
        topic: Topic,
        course: _Course,
        update: tuple[bytes, Fate, float | None],
        now: int,
    ) -> None:
        packed, fate, course.number = update
        course.sent_at = now
        self._deliver(session, topic, packed, fate)

    def _deliver(self, session: Session, topic: Topic, packed: bytes, fate: Fate) -> None:
        alone = self._alone.get(session)
        if alone is None:
            alone = self._alone[session] = Readers((session,), ())
        self._ground.ports.deliver(alone, packed, topic, fate, None)

    def _course(self, session: Session, topic: Topic) -> _Course | None:
        courses = self._courses.setdefault(session, {})
        course = courses.get(topic)
        if course is None and len(courses) < self._ground.limits.thinned_addresses:
            course = courses[topic] = _Course()
        return course

    def _pace(self, session: Session, topic: Topic) -> Pace | None:
        """How the session wants this topic now; None when it no longer wants it thinned out."""
        for signal in (0, 2):
            for reader, pace in topic.readers(self._ground.subscriptions, signal).paced:
                if reader is session:
                    return pace
        return None


def _number(encoded: bytes | None) -> float | None:
    """The value as a number, if it is one."""
    if not encoded or encoded[0] not in _NUMBERS:
        return None
    value, _ = read_data(encoded[0], encoded, 1)
    assert isinstance(value, (int, float))
    return float(value)


def _is_small(pace: Pace, before: float | None, after: float | None) -> bool:
    return (
        bool(pace.epsilon) and before is not None and after is not None and abs(after - before) < pace.epsilon
    )
