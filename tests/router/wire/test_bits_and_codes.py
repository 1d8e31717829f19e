"""The small tables of the wire: masks, features, error codes."""

import itertools

import pytest

from clasp_journal.entry import SignalType
from router.wire.codes import ErrorCode, JournalStatus, WireError
from router.wire.masks import (
    ALL_TYPES,
    FEATURES_OF_CLIENTS,
    FEATURES_OF_ROUTERS,
    mask_admits,
    mask_of_signals,
    signals_of_mask,
)

PUBLISHED_CODES = (
    100, 101, 102, 200, 201, 202, 300, 301, 302, 400, 401, 402, 403, 404, 429, 500, 501, 502, 503,
)  # fmt: skip


@pytest.mark.parametrize("mask", range(256))
def test_a_mask_and_its_set_of_signals_say_the_same(mask):
    """A mask without a known bit lets everything through; unknown bits say nothing."""
    signals = signals_of_mask(mask)
    assert signals == {signal for signal in SignalType if mask_admits(mask, signal)}
    assert signals_of_mask(mask_of_signals(signals)) == signals
    assert signals


def test_every_set_of_signals_has_its_mask():
    """None and all are both written as 0xFF."""
    for count in range(1, 5):
        for signals in itertools.combinations(SignalType, count):
            assert signals_of_mask(mask_of_signals(signals)) == set(signals)
    assert mask_of_signals(()) == mask_of_signals(SignalType) == ALL_TYPES


def test_features_are_the_published_bytes():
    """What clients say by default, and what routers do."""
    assert (FEATURES_OF_CLIENTS, FEATURES_OF_ROUTERS) == (0xE0, 0xF8)


def test_every_published_code_has_a_meaning_of_its_own():
    """One table, one line each."""
    assert tuple(ErrorCode) == PUBLISHED_CODES
    assert len({code.meaning for code in ErrorCode}) == len(PUBLISHED_CODES)


def test_every_status_of_the_journal_has_a_meaning_of_its_own():
    """0 is success; numbers without a gap, one line each."""
    assert tuple(JournalStatus) == tuple(range(6))
    assert JournalStatus.DONE == 0
    assert len({status.meaning for status in JournalStatus}) == 6


def test_a_fault_of_the_wire_is_a_fault_of_the_message_unless_said_otherwise():
    """101 by default, 100 for frames."""
    assert WireError("x").code == 101
    assert WireError("x", ErrorCode.INVALID_FRAME).code == 100
