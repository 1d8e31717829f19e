"""SET and PUBLISH as they nearly always come, in as few steps as they can take.

Law: what is done here is what `Params` and `Signals` would do with the same frame. Everything rare (a lock, a
TTL, an address that is new, readers that want it thinned out, a journal that cannot write) is left to them.
"""

from __future__ import annotations

from collections.abc import Callable

from clasp_journal.entry import SignalType
from clasp_journal.value import ValueType
from router.core.ground import Ground
from router.core.ports import Fate
from router.core.session import Session
from router.core.signals import fate_of, packed_ack
from router.core.topics import Topic
from router.wire.fast import plain_publish, plain_set
from router.wire.packing import pack

_PLAIN_FLAGS = (0x01, 0x41, 0x81)
"""Frame flags with which a PUBLISH can be passed on as it is."""
_COMMIT = 2
_NUMBER_BYTES = 8
_NUMBERS = (int(ValueType.I64), int(ValueType.F64))
"""Types whose data are these bytes, whatever they are: nothing in them has to be checked."""
_HEADS_MAX = 100_000
_QOS = tuple((flags >> 6) % 3 for flags in range(256))
"""The QoS by frame flags; the reserved 3 counts as 0."""
# Looking up a member of an enum costs more than all the rest of a line.
_PARAM = SignalType.PARAM
_CONFLATE = Fate.CONFLATE


Take = Callable[[Session, bytes, int], bool]


def guarded(take: Take) -> Take:
    """The fast forms where there are tokens: for sessions that may write there, as was found out before."""

    def take_permitted(session: Session, frame: bytes, now: int) -> bool:
        access = session.access
        if access.writes_all:
            return take(session, frame, now)
        # Both forms have the address at one place; a frame that is neither is refused by them.
        is_known = len(frame) > 8 and frame[8 : 8 + (frame[6] << 8 | frame[7])] in access.writable
        return is_known and take(session, frame, now)

    return take_permitted


class FastForms:
    """The short ways through the core."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._ports = ground.ports
        self._subscriptions = ground.subscriptions
        self._groups = ground.subscriptions.groups
        self._known = ground.topics.known
        self._by_head: dict[bytes, Topic] = {}
        """Topics by all that stands before the data of a number, in the frame of a plain SET."""
        self._passing = ground.topics.passing
        self._set_bytes = ground.limits.set_bytes
        self._publish_bytes = ground.limits.publish_bytes

    def take(self, session: Session, frame: bytes, now: int) -> bool:
        """Do a plain SET or PUBLISH; False if this frame is something else."""
        if not session.is_plain:
            return False
        topic = self._by_head.get(frame[:-_NUMBER_BYTES])
        if topic is not None and topic.is_plain:
            kind, data, size_bytes = frame[5], frame[-_NUMBER_BYTES:], _NUMBER_BYTES
        else:
            plain = plain_set(frame)
            if plain is None:
                return self._publish(session, frame, now)
            address, kind, data = plain
            topic = self._known.get(address)
            if topic is None or not topic.is_plain:
                return False
            size_bytes = len(data)
            if len(address) + size_bytes > self._set_bytes:
                return False
            if kind in _NUMBERS and 8 + len(address) + size_bytes == len(frame):
                self._remember(frame[:-_NUMBER_BYTES], topic)
        if not self._ground.accepting:
            return False
        readers = self._groups.get(topic.groups[0])
        if readers is None:
            readers = topic.readers(self._subscriptions, _PARAM)
        if readers.paced:
            return False
        topic.kind = kind
        topic.data = data
        topic.writer = session.author
        topic.written = now
        topic.revision += 1
        revision = topic.revision.to_bytes(8, "big")
        if topic.set_shape != kind << 16 | size_bytes:
            topic.shape_set(kind, size_bytes)
        packed = topic.set_head + data + revision
        ports = self._ports
        ports.record(session, packed, now)
        if readers.members:
            ports.deliver(readers, packed, topic, _CONFLATE, None)
        qos = _QOS[frame[1]]
        if qos:
            ports.acknowledge(session, topic.ack_head + revision, qos)
        return True

    def _remember(self, head: bytes, topic: Topic) -> None:
        """A head that was taken apart once need not be again: the next frame that begins like this and is as
        long has the same address, type and length."""
        if len(self._by_head) >= _HEADS_MAX:
            self._by_head.clear()
        self._by_head[head] = topic

    def _publish(self, session: Session, frame: bytes, now: int) -> bool:
        plain = plain_publish(frame)
        if plain is None:
            return False
        address, signal = plain
        topic = self._passing.get(address) or self._known.get(address)
        if topic is None or topic.is_peer_to_peer or not self._ground.accepting:
            return False
        flags = frame[1]
        if flags not in _PLAIN_FLAGS or len(frame) - 4 > self._publish_bytes:
            return False
        readers = topic.readers(self._subscriptions, signal)
        if readers.paced:
            return False
        packed = pack(frame)
        ports = self._ports
        ports.record(session, packed, now)
        if readers.members:
            excluding = session if session in readers.sessions else None
            ports.deliver(readers, packed, topic, fate_of(signal), excluding)
        if flags >> 6 == _COMMIT:
            ports.acknowledge(session, packed_ack(topic.text), _COMMIT)
        return True
