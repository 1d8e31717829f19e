"""Every message of the wire as a small object, one class each.

Laws: a value is carried as the bytes that arrived (`encoded`: type byte and data, narrow types
included) and decoded only when someone asks for `value`; None for an optional field means that it was
not sent; masks and TTL words stay as raw as they came. Times are microseconds since the Unix epoch.

What the journal extension adds is in `history_messages`; it is offered here, too.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

from clasp_journal.entry import ParamSnapshot, Phase, SignalType
from clasp_journal.value import Value
from clasp_journal.value import decode as decode_value
from router.wire.history_messages import Entries, JournalDo, JournalDone, Replay, ReplayExtension
from router.wire.masks import ALL_TYPES, FEATURES_OF_CLIENTS, FEATURES_OF_ROUTERS

__all__ = [
    "BUNDLE_DEPTH_MAX",
    "Ack",
    "Announce",
    "Bundle",
    "Entries",
    "Error",
    "FederationOp",
    "FederationSync",
    "Get",
    "Hello",
    "JournalDo",
    "JournalDone",
    "Message",
    "MessageType",
    "Meta",
    "ParamSnapshot",
    "Phase",
    "Ping",
    "Pong",
    "Publish",
    "Query",
    "Replay",
    "ReplayExtension",
    "Result",
    "Set",
    "SignalDef",
    "SignalType",
    "Snapshot",
    "Subscribe",
    "SubscribeOptions",
    "Sync",
    "Unsubscribe",
    "Welcome",
    "pack_samples",
]


class MessageType(IntEnum):
    """The first byte of a binary payload."""

    HELLO = 0x01
    WELCOME = 0x02
    ANNOUNCE = 0x03
    FEDERATION_SYNC = 0x04
    SUBSCRIBE = 0x10
    UNSUBSCRIBE = 0x11
    PUBLISH = 0x20
    SET = 0x21
    GET = 0x22
    SNAPSHOT = 0x23
    REPLAY = 0x24
    ENTRIES = 0x25
    JOURNAL_DO = 0x26
    JOURNAL_DONE = 0x27
    BUNDLE = 0x30
    SYNC = 0x40
    PING = 0x41
    PONG = 0x42
    ACK = 0x50
    ERROR = 0x51
    QUERY = 0x60
    RESULT = 0x61


@dataclass(slots=True)
class Hello:
    """The first message of a client."""

    name: str = ""
    version: int = 1
    features: int = int(FEATURES_OF_CLIENTS)
    token: str | None = field(default=None, repr=False)
    """An empty token travels as none."""


@dataclass(slots=True)
class Welcome:
    """The router's answer to HELLO."""

    time: int
    session: str
    name: str
    version: int = 1
    features: int = int(FEATURES_OF_ROUTERS)
    token: str | None = field(default=None, repr=False)


@dataclass(slots=True)
class Meta:
    """What an announcement tells a person about a signal."""

    unit: str | None = None
    range: tuple[float, float] | None = None
    default: bytes | None = None
    """An encoded value."""
    description: str | None = None


@dataclass(slots=True)
class SignalDef:
    """One announced signal. RESULT has no room for `meta`."""

    address: str
    signal: SignalType = SignalType.PARAM
    datatype: str | None = None
    access: str | None = None
    meta: Meta | None = None


@dataclass(slots=True)
class Announce:
    """A client tells which signals there are under a namespace."""

    namespace: str
    signals: list[SignalDef] = field(default_factory=list)


class FederationOp(IntEnum):
    """What a federated router asks for."""

    DECLARE_NAMESPACES = 1
    REQUEST_SYNC = 2
    REVISION_VECTOR = 3
    SYNC_COMPLETE = 4


@dataclass(slots=True)
class FederationSync:
    """One router speaks to another."""

    op: FederationOp
    patterns: list[str] = field(default_factory=list)
    revisions: dict[str, int] = field(default_factory=dict)
    since_revision: int | None = None
    origin: str | None = None


@dataclass(slots=True)
class SubscribeOptions:
    """How a subscription is thinned out, and how much history it starts with."""

    max_rate: int | None = None
    """Updates per second."""
    epsilon: float | None = None
    history: int | None = None
    """How many past values."""
    window_ms: int | None = None


@dataclass(slots=True)
class Subscribe:
    """A client wants what matches a pattern."""

    id: int
    pattern: str
    type_mask: int = ALL_TYPES
    options: SubscribeOptions | None = None


@dataclass(slots=True)
class Unsubscribe:
    """A client wants it no longer."""

    id: int


@dataclass(slots=True)
class Publish:
    """A signal that passes by.

    At most one of `encoded` and `samples` is sent; neither is "nothing", which is not the same as an
    encoded null.
    """

    address: str
    signal: SignalType = SignalType.EVENT
    encoded: bytes | None = None
    samples: bytes | None = None
    """A block of big-endian 64-bit floats."""
    timestamp: int | None = None
    gesture_id: int | None = None
    phase: Phase = Phase.START
    rate: int | None = None
    """Samples per second."""
    timeline: bytes | None = None
    """The encoded `timeline` map of a MessagePack PUBLISH. `encoded` then holds the same as the map that
    all peers understand in the value slot; binary sends only that one."""

    @property
    def value(self) -> Value:
        """The value as a Python object; None where there is none."""
        return None if self.encoded is None else decode_value(self.encoded)

    @property
    def sample_values(self) -> tuple[float, ...] | None:
        """The samples as floats; None where there are none."""
        if self.samples is None:
            return None
        return struct.unpack(f">{len(self.samples) // 8}d", self.samples)


def pack_samples(samples: Iterable[float]) -> bytes:
    """The block of bytes in which samples travel."""
    numbers = tuple(samples)
    return struct.pack(f">{len(numbers)}d", *numbers)


@dataclass(slots=True)
class Set:
    """A param gets a value. From a client `revision` is the expected one, from the router the new one."""

    address: str
    encoded: bytes
    revision: int | None = None
    lock: bool = False
    unlock: bool = False
    ttl: int | None = None
    """The raw word; see `clasp_journal.entry`."""

    @property
    def value(self) -> Value:
        """The value as a Python object."""
        return decode_value(self.encoded)


@dataclass(slots=True)
class Get:
    """A client asks for the value of an address."""

    address: str


@dataclass(slots=True)
class Snapshot:
    """Params as they are now. On the wire an empty writer and a time of 0 are left out."""

    params: list[ParamSnapshot] = field(default_factory=list)


BUNDLE_DEPTH_MAX = 4
"""Bundles within bundles."""


@dataclass(slots=True)
class Bundle:
    """Messages that belong together."""

    messages: list[Message] = field(default_factory=list)
    timestamp: int | None = None


@dataclass(slots=True)
class Sync:
    """One round of comparing clocks."""

    t1: int
    t2: int | None = None
    t3: int | None = None


@dataclass(slots=True)
class Ping:
    """Asks whether the other side is there."""


@dataclass(slots=True)
class Pong:
    """Answers a PING: the other side is there."""


@dataclass(slots=True)
class Ack:
    """A request was done."""

    address: str | None = None
    revision: int | None = None
    locked: bool | None = None
    holder: str | None = None
    correlation_id: int | None = None


@dataclass(slots=True)
class Error:
    """A request was refused; `code` is one of `codes.ErrorCode`, or what a peer made up."""

    code: int
    message: str = ""
    address: str | None = None
    correlation_id: int | None = None


@dataclass(slots=True)
class Query:
    """A client asks which signals are announced."""

    pattern: str


@dataclass(slots=True)
class Result:
    """The answer to QUERY."""

    signals: list[SignalDef] = field(default_factory=list)


Message: TypeAlias = (
    Hello
    | Welcome
    | Announce
    | FederationSync
    | Subscribe
    | Unsubscribe
    | Publish
    | Set
    | Get
    | Snapshot
    | Replay
    | Entries
    | JournalDo
    | JournalDone
    | Bundle
    | Sync
    | Ping
    | Pong
    | Ack
    | Error
    | Query
    | Result
)
