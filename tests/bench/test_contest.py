"""A row that says how fast a server is says so, too, when it was something else that was not faster."""

import pytest

from bench.contest import Case, Sample, limits
from bench.load.form import Load, Result
from bench.servers.cores import JOURNAL_CORE, LOAD_CORE

FULL, HALF, NOTHING = 0.99, 0.5, 0.0


def said(own: float, children: float, generator: float, window: int = 4_000) -> str:
    """What a row says of a round in which these took such shares of a core."""
    sample = Sample(1.0, Result(cpu_share=generator), 1.0, 0.0, own, children)
    return "".join(limits(Case("a case", Load("clasp publish", window=window)), [sample]))


def test_a_busy_server_needs_no_remark():
    """Its own process or its journal's had a core to itself: that is what was to be measured."""
    assert not said(FULL, NOTHING, HALF)
    assert not said(HALF, FULL, NOTHING)
    assert not said(FULL, FULL, FULL)


def test_a_busy_generator_is_named():
    """It measured itself."""
    assert said(HALF, NOTHING, FULL).startswith("the generator was the limit (99%")


@pytest.mark.skipif(JOURNAL_CORE != LOAD_CORE, reason="the journal has a core of its own here")
def test_a_core_that_two_share_is_named():
    """Neither of them fills it, both together do."""
    assert "50% for the journal, 50% for it" in said(HALF, HALF, HALF)


def test_a_round_in_which_nobody_was_busy_is_named():
    """Something else has the cores; but one message at a time leaves everybody waiting in turns."""
    assert said(HALF, NOTHING, NOTHING).startswith("nobody was busy")
    assert not said(HALF, NOTHING, NOTHING, window=1)
