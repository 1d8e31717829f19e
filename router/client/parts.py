"""SET and PUBLISH made from Python values: for single calls, and as parts of a bundle."""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal, TypedDict, Unpack

from clasp_journal import value as values
from clasp_journal.entry import Phase, SignalType
from clasp_journal.value import Value
from router.wire.messages import Publish, Set, pack_samples


class Nothing(Enum):
    """The absence of a value, which is not null."""

    NOTHING = 0


NOTHING: Final = Nothing.NOTHING


class SetFlags(TypedDict, total=False):
    """What a SET may carry beyond its value."""

    revision: int
    """The revision the param is expected to have; refused with 400 if it has another."""
    lock: bool
    unlock: bool
    ttl: int
    """The TTL word of the wire: see `clasp_journal.entry.sliding_ttl` and `absolute_ttl`."""


class PublishExtras(TypedDict, total=False):
    """What a PUBLISH may carry beyond its value."""

    samples: list[float]
    """Instead of a value."""
    timestamp: int
    """The sender's own time, in microseconds since the Unix epoch."""
    gesture_id: int
    phase: Phase
    rate: int
    """Samples per second."""


def make_set(address: str, value: Value, **flags: Unpack[SetFlags]) -> Set:
    """A SET of a Python value."""
    return Set(address, values.encode(value), **flags)


def make_publish(
    address: str,
    value: Value | Literal[Nothing.NOTHING] = NOTHING,
    signal: SignalType = SignalType.EVENT,
    **extras: Unpack[PublishExtras],
) -> Publish:
    """A PUBLISH of a Python value, of samples, or of nothing."""
    samples = extras.get("samples")
    if samples is not None and value is not NOTHING:
        raise ValueError("a PUBLISH carries a value or samples, not both")
    return Publish(
        address,
        signal,
        None if value is NOTHING else values.encode(value),
        None if samples is None else pack_samples(samples),
        extras.get("timestamp"),
        extras.get("gesture_id"),
        extras.get("phase", Phase.START),
        extras.get("rate"),
    )
