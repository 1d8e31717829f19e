"""The sets that travel as one byte: which signal types are meant, and what a peer can do.

Law: a type mask without any known bit means all types, as published peers read it.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntFlag

from clasp_journal.entry import SignalType

ALL_TYPES = 0xFF
"""What encoders write for "no restriction"."""

_KNOWN_TYPES = 0x1F
_ALL_SIGNALS = frozenset(SignalType)


def signals_of_mask(mask: int) -> frozenset[SignalType]:
    """The signal types that a mask lets through."""
    if not mask & _KNOWN_TYPES:
        return _ALL_SIGNALS
    return frozenset(signal for signal in SignalType if mask >> signal & 1)


def mask_of_signals(signals: Iterable[SignalType]) -> int:
    """The mask for some signal types; for none, as for all of them, that is 0xFF."""
    mask = 0
    for signal in signals:
        mask |= 1 << signal
    return mask if mask not in (0, _KNOWN_TYPES) else ALL_TYPES


def mask_admits(mask: int, signal: int) -> bool:
    """Whether a mask lets one signal type through."""
    return bool(mask >> signal & 1) or not mask & _KNOWN_TYPES


class Feature(IntFlag):
    """What HELLO and WELCOME say a peer can do."""

    PARAM = 0x80
    EVENT = 0x40
    STREAM = 0x20
    GESTURE = 0x10
    TIMELINE = 0x08
    FEDERATION = 0x04
    JOURNAL = 0x02
    """In WELCOME: the router has the journal extension."""


FEATURES_OF_CLIENTS = Feature.PARAM | Feature.EVENT | Feature.STREAM
FEATURES_OF_ROUTERS = FEATURES_OF_CLIENTS | Feature.GESTURE | Feature.TIMELINE
