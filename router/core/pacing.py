"""Updates thinned out for those who asked for fewer: max_rate, window and epsilon.

Laws: thinning concerns delivery only; an update is held back for one interval at most, and the last one
always arrives; a change smaller than epsilon, measured from what was sent last, is none. What waits is
bounded: that for which there is no room passes at once. Where a session's subscriptions change it begins
anew, so that nothing is measured from, or told after, what came another way. What a session has waiting goes
with it.
"""

from __future__ import annotations

from typing import NamedTuple

from clasp_journal.address import Pattern
from clasp_journal.value import ValueType, read_data
from router.core.agenda import Note
from router.core.ground import Ground
from router.core.ports import Fate
from router.core.session import Session
from router.core.subscriptions import Pace, Readers
from router.core.topics import Topic

_NUMBERS = range(ValueType.I8, ValueType.F64 + 1)

_Key = tuple[bytes, Fate]
"""An address and what may become of its updates: a value that stays, samples that pass and values that are
only published do not thin each other."""


class Update(NamedTuple):
    """One message on its way to readers."""

    packed: bytes
    fate: Fate
    signal: int
    encoded: bytes | None
    """The value in it, for those who ignore small changes."""


class _Course:
    """What one session has got of one topic, and what waits."""

    __slots__ = ("note", "number", "sent_at", "topic", "waiting")

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.sent_at: int | None = None
        self.number: float | None = None
        self.waiting: Update | None = None
        self.note: Note | None = None


class _Courses:
    """The courses of one session."""

    __slots__ = ("by_key", "waiting_bytes")

    def __init__(self) -> None:
        self.by_key: dict[_Key, _Course] = {}
        self.waiting_bytes = 0

    def put(self, course: _Course, update: Update) -> None:
        """Let it wait, in place of what waited before."""
        self.take(course)
        course.waiting = update
        self.waiting_bytes += len(update.packed)

    def take(self, course: _Course) -> Update | None:
        """What waited, and does no longer."""
        update, course.waiting = course.waiting, None
        if update is not None:
            self.waiting_bytes -= len(update.packed)
        return update


class Pacing:
    """Every thinned course, by session, address and signal type."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._courses: dict[Session, _Courses] = {}
        self._alone: dict[Session, Readers] = {}

    def offer(self, session: Session, pace: Pace, topic: Topic, update: Update, now: int) -> None:
        """An update for one session that wants them thinned out."""
        courses = self._courses.get(session)
        if courses is None:
            courses = self._courses[session] = _Courses()
        course = self._course(courses, topic, update.fate)
        if course is None:
            self._deliver(session, topic, update)
        elif course.waiting is None and _is_small(pace, course.number, _number(pace, update)):
            self._ground.tally.paced += 1
        elif course.waiting is None and (course.sent_at is None or now - course.sent_at >= pace.interval_us):
            self._send(session, course, update, now)
        elif courses.waiting_bytes + len(update.packed) > self._ground.limits.thinned_bytes:
            courses.take(course)
            self._call_off(course)
            self._send(session, course, update, now)
        elif course.waiting is not None:
            courses.put(course, update)
            self._ground.tally.paced += 1
        else:
            assert course.sent_at is not None
            courses.put(course, update)
            course.note = self._ground.agenda.note(
                course.sent_at + pace.interval_us, lambda due: self._release(session, course, due)
            )

    def renew(self, session: Session, pattern: Pattern) -> None:
        """Its subscriptions to these addresses have changed. What waits is told, if it is still asked for."""
        courses = self._courses.get(session)
        if courses is None:
            return
        prefix, matches = pattern.prefix, pattern.matches
        for key, course in list(courses.by_key.items()):
            address = course.topic.text
            if address.startswith(prefix) and matches(address):
                del courses.by_key[key]
                self._call_off(course)
                update = courses.take(course)
                if update is not None:
                    self._tell_if_wanted(session, course.topic, update)

    def forget(self, session: Session) -> None:
        """The session is gone: drop its courses, and call off what they wait for."""
        self._alone.pop(session, None)
        courses = self._courses.pop(session, None)
        if courses is not None:
            for course in courses.by_key.values():
                self._call_off(course)

    def _release(self, session: Session, course: _Course, now: int) -> None:
        course.note = None
        update = self._courses[session].take(course)
        assert update is not None
        self._send(session, course, update, now)

    def _call_off(self, course: _Course) -> None:
        if course.note is not None:
            self._ground.agenda.cancel(course.note)
            course.note = None

    def _tell_if_wanted(self, session: Session, topic: Topic, update: Update) -> None:
        readers = topic.readers(self._ground.subscriptions, update.signal)
        if session in readers.paced or session in readers.sessions:
            self._deliver(session, topic, update)

    def _send(self, session: Session, course: _Course, update: Update, now: int) -> None:
        course.number = _as_number(update.encoded)
        course.sent_at = now
        self._deliver(session, course.topic, update)

    def _deliver(self, session: Session, topic: Topic, update: Update) -> None:
        alone = self._alone.get(session)
        if alone is None:
            alone = self._alone[session] = Readers((session,), {})
        self._ground.ports.deliver(alone, (update.packed,), (topic,), update.fate, None)

    def _course(self, courses: _Courses, topic: Topic, fate: Fate) -> _Course | None:
        key = topic.address, fate
        course = courses.by_key.get(key)
        if course is None and len(courses.by_key) < self._ground.limits.thinned_addresses:
            course = courses.by_key[key] = _Course(topic)
        return course


def _number(pace: Pace, update: Update) -> float | None:
    return _as_number(update.encoded) if pace.epsilon else None


def _as_number(encoded: bytes | None) -> float | None:
    """The value as a number, if it is one."""
    if not encoded or encoded[0] not in _NUMBERS:
        return None
    value, _ = read_data(encoded[0], encoded, 1)
    assert isinstance(value, (int, float))
    # A large integer stays one: as floats it and its neighbours are the same.
    return value


def _is_small(pace: Pace, before: float | None, after: float | None) -> bool:
    return before is not None and after is not None and abs(after - before) < pace.epsilon
