"""SET and GET: the live value of every address, its revision, lock and time to live.

Laws: a refused SET changes nothing; a revision is given once and only rises; only the holder of a lock
writes or unlocks, and a lock whose holder has left or may not write any more is none; an expired param is
gone at once, for everybody.
"""

from __future__ import annotations

from typing import NamedTuple

from clasp_journal.address import parse_address
from clasp_journal.entry import TTL_NEVER, EntryKind, JournalEntry, ttl_is_absolute, ttl_s
from router.core.access import Right
from router.core.answers import packed
from router.core.delivery import Delivery
from router.core.ground import Ground
from router.core.limits import SECOND_US
from router.core.refusal import Refusal
from router.core.session import Session, Stage
from router.core.topics import ABSENT, SMALL_BYTES, Topic, room_for
from router.wire.codes import ErrorCode
from router.wire.frame import CONFIRM
from router.wire.messages import Set


class Standing(NamedTuple):
    """What decides whether a SET is allowed: the address as it is, or as a bundle will have made it."""

    exists: bool = False
    revision: int = 0
    holder: str | None = None
    room_bytes: int = SMALL_BYTES


class Params:
    """The rules of SET, GET and expiry."""

    def __init__(self, ground: Ground, delivery: Delivery) -> None:
        self._ground = ground
        self._delivery = delivery

    def standing(self, address: str) -> Standing:
        """How an address stands now."""
        topic = self._ground.topics.known.get(address.encode())
        if topic is None:
            return Standing(revision=self._ground.topics.revision_floor)
        return Standing(topic.kind != ABSENT, topic.revision, self._holder(topic), topic.room_bytes)

    def check(self, request: Set, session: Session, standing: Standing) -> Standing:
        """How the address will stand after this SET; `BadInput` if it is refused."""
        address = parse_address(request.address)
        session.access.demand_write(address)
        if len(address.encode()) + len(request.encoded) - 1 > self._ground.limits.set_bytes:
            size = self._ground.limits.set_bytes
            raise Refusal(ErrorCode.INVALID_VALUE, f"address and value exceed {size} bytes", address)
        if standing.holder is not None and standing.holder != session.id:
            raise Refusal(ErrorCode.LOCK_HELD, "another session holds the lock", address)
        self._check_revision(request, standing)
        holder = session.id if request.lock else standing.holder
        room_bytes = room_for(len(request.encoded) - 1)
        return Standing(True, standing.revision + 1, None if request.unlock else holder, room_bytes)

    def check_room(self, new_params: int, more_bytes: int) -> None:
        """Refuse params beyond the limits."""
        topics, limits = self._ground.topics, self._ground.limits
        if new_params and topics.live + new_params > limits.params:
            raise Refusal(ErrorCode.TOO_MANY, f"the router keeps {limits.params} params")
        if more_bytes > 0 and topics.long_bytes + more_bytes > limits.params_bytes:
            raise Refusal(ErrorCode.TOO_MANY, f"the router keeps {limits.params_bytes} bytes of values")

    def set(self, request: Set, session: Session, now: int) -> Topic:
        """Check and apply one SET."""
        standing = self.standing(request.address)
        after = self.check(request, session, standing)
        self.check_room(not standing.exists, after.room_bytes - standing.room_bytes)
        return self.apply(request, session, now)

    def apply(self, request: Set, session: Session, now: int) -> Topic:
        """Give the address its value, tell the journal and the readers. It was checked."""
        topics = self._ground.topics
        topic = topics.obtain(request.address)
        if topic.kind == ABSENT:
            topics.unbury(topic)
            topic.ttl = self._ground.settings.default_ttl
        if request.ttl is not None:
            topic.ttl = request.ttl
        topics.make_room(topic, len(request.encoded) - 1)
        topic.kind = request.encoded[0]
        topic.data = request.encoded[1:]
        topic.revision += 1
        topic.writer = session.author
        topic.written = topic.used = now
        self._apply_lock(request, topic, session)
        topic.judge()
        self.note_expiry(topic)
        self._tell(request, topic, session, now)
        return topic

    def get(self, address: str, session: Session, now: int) -> Topic | None:
        """The topic of a param; reading it counts as use."""
        session.access.demand(Right.READ, parse_address(address))
        topic = self._ground.topics.find(address)
        if topic is not None:
            topic.used = now
        return topic

    def note_expiry(self, topic: Topic) -> None:
        """See to it that a topic with a TTL is looked at when it may have run out."""
        if topic.ttl == TTL_NEVER:
            return
        due = _expires_at(topic)
        if topic.expiry is not None:
            if topic.expiry.due <= due:
                return
            self._ground.agenda.cancel(topic.expiry)
        topic.expiry = self._ground.agenda.note(due, lambda now: self._expire(topic, now))

    def _holder(self, topic: Topic) -> str | None:
        """Who holds the lock: somebody who is still here, and may still write there."""
        holder = self._ground.sessions.get(topic.holder) if topic.holder is not None else None
        return holder.id if holder is not None and holder.access.may(Right.WRITE, topic.text) else None

    def _check_revision(self, request: Set, standing: Standing) -> None:
        """0 expects that there is no such param; of one that is gone, its last revision may be named too."""
        expected = request.revision
        if expected is None or expected == standing.revision:
            return
        if expected == 0 and not standing.exists:
            return
        raise Refusal(
            ErrorCode.REVISION_CONFLICT,
            f"revision {expected} was expected, it is {standing.revision}",
            request.address,
        )

    def _apply_lock(self, request: Set, topic: Topic, session: Session) -> None:
        keeps = request.lock or topic.holder == session.id
        is_here = session.stage is not Stage.GONE
        topic.holder = session.id if keeps and is_here and not request.unlock else None

    def _tell(self, request: Set, topic: Topic, session: Session, now: int) -> None:
        echo = Set(
            request.address, request.encoded, topic.revision, request.lock, request.unlock, request.ttl
        )
        sent = packed(echo, CONFIRM)
        kept = sent
        if (request.ttl or TTL_NEVER) != topic.ttl:
            echo.ttl = topic.ttl
            kept = packed(echo, CONFIRM)
        self._ground.ports.record(session, (kept,), now)
        self._delivery.param(topic, sent, session, now)

    def _expire(self, topic: Topic, now: int) -> None:
        topic.expiry = None
        if topic.kind == ABSENT or topic.ttl == TTL_NEVER:
            return
        if _expires_at(topic) > now:
            self.note_expiry(topic)
            return
        topic.holder = None
        self._ground.topics.bury(topic)
        self._ground.ports.record_entry(
            JournalEntry(now, "", topic.text, EntryKind.EXPIRE, revision=topic.revision)
        )


def _expires_at(topic: Topic) -> int:
    since = topic.written if ttl_is_absolute(topic.ttl) else topic.used
    return since + ttl_s(topic.ttl) * SECOND_US
