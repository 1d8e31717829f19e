"""One record per address: the live value, and everything about it that is worth building only once.

Laws: a revision is given once; forgetting an address does not forget its number. `Topic.is_plain` says
that nothing rare (no lock, no TTL) stands in the way of the fast form of SET.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from clasp_journal.address import parse_address
from clasp_journal.entry import ParamSnapshot
from clasp_journal.restore import TOMBSTONES_MAX
from router.core.agenda import Note
from router.core.subscriptions import Readers, Subscriptions
from router.wire.packing import pack_head

P2P_ANNOUNCE: Final = "/clasp/p2p/announce"
"""Where peers look for each other: heard by every matching session, whatever types it subscribed to."""
P2P_SIGNAL: Final = "/clasp/p2p/signal/"
"""Followed by a session id: what is published there is for that session alone."""

ABSENT: Final = -1
"""The value type of a topic without a value."""

SMALL_BYTES: Final = 64
"""Room that each value has anyway; so much is bounded by the number of params."""

_FRAME_HEAD_BYTES: Final = 4
_SIGNALS: Final = 5
_UNKNOWN_GROUP: Final = 0


def room_for(size_bytes: int) -> int:
    """What is set apart for a value of this size, so that one that grows a little needs no more."""
    return SMALL_BYTES if size_bytes <= SMALL_BYTES else 1 << (size_bytes - 1).bit_length()


class Topic:
    """What the router knows of one address."""

    __slots__ = (
        "ack_head",
        "address",
        "data",
        "expiry",
        "groups",
        "holder",
        "is_peer_to_peer",
        "is_plain",
        "kind",
        "revision",
        "room_bytes",
        "set_head",
        "set_shape",
        "text",
        "ttl",
        "used",
        "writer",
        "written",
    )

    def __init__(self, address: bytes, text: str) -> None:
        self.address = address
        self.text = text
        self.revision = 0
        self.kind = ABSENT
        self.data = b""
        self.room_bytes = SMALL_BYTES
        """Data is never longer; see `Topics.make_room`."""
        self.writer = ""
        self.written = 0
        self.used = 0
        self.ttl = 0
        self.holder: str | None = None
        """The id of the session that locked it. The lock of a session that has left is none."""
        self.expiry: Note | None = None
        """When it is looked at next, to see whether its time has run out."""
        self.is_plain = False
        self.is_peer_to_peer = text == P2P_ANNOUNCE or text.startswith(P2P_SIGNAL)
        self.ack_head = b""
        """All of a packed ACK that stands before the revision; empty until it is wanted."""
        self.set_head = b""
        """All of a packed SET with revision that stands before the value's data, for values of one shape."""
        self.set_shape = -1
        """Type and size of those values."""
        self.groups = [_UNKNOWN_GROUP] * _SIGNALS
        """The numbers of the groups for each signal type; see `Subscriptions.groups`."""

    @property
    def encoded(self) -> bytes | None:
        """The value with its type byte; None where there is no value."""
        return None if self.kind == ABSENT else bytes((self.kind,)) + self.data

    def judge(self) -> None:
        """Find out anew whether the topic is plain."""
        self.is_plain = self.kind != ABSENT and self.holder is None and not self.ttl

    def readers(self, subscriptions: Subscriptions, signal: int) -> Readers:
        """The group for messages of a signal type, looked up again only when subscriptions changed."""
        group = subscriptions.groups.get(self.groups[signal])
        if group is None:
            self.groups[signal] = subscriptions.group_number(self.text, signal)
            group = subscriptions.groups[self.groups[signal]]
        return group

    def shape_set(self, kind: int, size_bytes: int) -> None:
        """Build `set_head` for values of this type and size."""
        self.set_shape = kind << 16 | size_bytes
        self.set_head = self._packed_head(b"\x41", bytes((0x21, 0x80 | kind)), size_bytes + 8)

    def shape_ack(self) -> bytes:
        """Build `ack_head`."""
        self.ack_head = self._packed_head(b"\x01", b"\x50\x03", 8)
        return self.ack_head

    def packed_set(self) -> bytes:
        """The SET that tells a reader the value as it is now."""
        self.shape_set(self.kind, len(self.data))
        return self.set_head + self.data + self.revision.to_bytes(8, "big")

    def packed_ack(self) -> bytes:
        """The ACK of the SET that gave the topic its revision."""
        return (self.ack_head or self.shape_ack()) + self.revision.to_bytes(8, "big")

    def _packed_head(self, frame_flags: bytes, message_head: bytes, tail_bytes: int) -> bytes:
        address_size = len(self.address).to_bytes(2, "big")
        payload_bytes = len(message_head) + 2 + len(self.address) + tail_bytes
        return b"".join(
            (
                pack_head(_FRAME_HEAD_BYTES + payload_bytes),
                b"S",
                frame_flags,
                payload_bytes.to_bytes(2, "big"),
                message_head,
                address_size,
                self.address,
            )
        )


class Topics:
    """Every address with a param or a tombstone, and a bounded memory of those that only pass by."""

    def __init__(self, passing_max: int) -> None:
        self.known: dict[bytes, Topic] = {}
        """Topics with a param, and tombstones, by address."""
        self.in_order: list[Topic] = []
        """The same, oldest first, and perhaps some that were dropped. The list is only appended to, or
        replaced by another, so that who walks it keeps a good place."""
        self.passing: OrderedDict[bytes, Topic] = OrderedDict()
        """Topics of PUBLISH alone. The oldest make room for new ones: all they hold can be found again."""
        self.live = 0
        """How many have a value."""
        self.long_bytes = 0
        """The room of all values that have more than they have anyway."""
        self.revision_floor = 0
        # A plain dict would look for its first key past all those that were deleted before it.
        self._tombstones: OrderedDict[bytes, None] = OrderedDict()
        self._passing_max = passing_max

    def find(self, address: str) -> Topic | None:
        """The topic of a param that has a value."""
        topic = self.known.get(address.encode())
        return topic if topic is not None and topic.kind != ABSENT else None

    def obtain(self, address: str) -> Topic:
        """The topic of an address that is about to get a value."""
        raw = address.encode()
        topic = self.known.get(raw)
        if topic is None:
            topic = self.passing.pop(raw, None) or Topic(raw, address)
            topic.revision = self.revision_floor
            self.known[raw] = topic
            self.in_order.append(topic)
        return topic

    def obtain_passing(self, address: bytes) -> Topic:
        """The topic of an address that something is published on; `BadInput` if it is none."""
        topic = self.known.get(address) or self.passing.get(address)
        if topic is None:
            topic = Topic(address, parse_address(address.decode()))
            if len(self.passing) >= self._passing_max:
                self.passing.popitem(last=False)
            self.passing[address] = topic
        return topic

    def bury(self, topic: Topic) -> None:
        """The param is gone; its revision stays as a tombstone, as long as there is room for those."""
        topic.kind = ABSENT
        topic.data = b""
        topic.ttl = 0
        topic.is_plain = False
        self.make_room(topic, 0)
        self.live -= 1
        self._tombstones[topic.address] = None
        self._trim()

    def unbury(self, topic: Topic) -> None:
        """An address gets a value that had none."""
        self._tombstones.pop(topic.address, None)
        self.live += 1

    def make_room(self, topic: Topic, size_bytes: int) -> None:
        """A value of another size is about to take its place."""
        room_bytes = room_for(size_bytes)
        self.long_bytes += room_bytes - topic.room_bytes
        topic.room_bytes = room_bytes

    def restore(self, params: Iterable[ParamSnapshot], now: int) -> None:
        """Take over params as they are, without any rule: they are outcomes. What was restored already is
        replaced."""
        for param in params:
            topic = self.obtain(param.address)
            topic.revision = param.revision
            topic.writer = param.writer
            topic.written = param.timestamp
            topic.used = now
            if topic.kind == ABSENT:
                self.unbury(topic)
            if param.encoded is None:
                self.bury(topic)
                continue
            self.make_room(topic, len(param.encoded) - 1)
            topic.kind = param.encoded[0]
            topic.data = param.encoded[1:]
            topic.ttl = param.ttl or 0
            topic.judge()

    def snapshot(self) -> list[ParamSnapshot]:
        """Everything there is: live params, then tombstones, the longest forgotten first."""
        live = (topic for topic in self.known.values() if topic.kind != ABSENT)
        return [
            ParamSnapshot(t.text, t.encoded, t.revision, t.writer, t.written, t.ttl or None)
            for t in (*live, *self.tombstones())
        ]

    def tombstones(self) -> Iterable[Topic]:
        """The topics that had a value once, the longest forgotten first."""
        return (self.known[address] for address in self._tombstones)

    def _trim(self) -> None:
        while len(self._tombstones) > TOMBSTONES_MAX:
            address, _ = self._tombstones.popitem(last=False)
            dropped = self.known.pop(address)
            self.revision_floor = max(self.revision_floor, dropped.revision)
        if len(self.in_order) > 2 * len(self.known) + TOMBSTONES_MAX:
            self.in_order = list(self.known.values())
