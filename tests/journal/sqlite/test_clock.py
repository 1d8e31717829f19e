"""Searching by time stays exact wherever times go back."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.sqlite import SqliteJournal, clock
from clasp_journal.sqlite.clock import Clock, Run, Span, narrow, step_back
from tests.journal.sqlite.making import START_US, was_set


def runs_of(moments: list[int], reopened_at: set[int]) -> tuple[Run, ...]:
    """The runs that appending entries of these times leaves, reopening here and there."""
    state = Clock([Run(1, 0)])
    for seq, at_us in enumerate(moments, 1):
        if seq in reopened_at and seq > 1:
            state = Clock(state.runs, moments[seq - 2])
        if at_us < state.highest_us:
            state.highest_us, state.runs = step_back(Run(seq, 0), at_us, state.highest_us, state.runs)
        else:
            state.highest_us = at_us
    return state.runs


moments = st.lists(st.integers(0, 30) | st.integers(2_000_000, 2_000_030), max_size=60)


@pytest.mark.property
@given(
    moments=moments,
    reopened_at=st.sets(st.integers(1, 60), max_size=4),
    bounds=st.tuples(st.none() | st.integers(-1, 2_000_031), st.none() | st.integers(-1, 2_000_031)),
    within=st.tuples(st.integers(0, 60), st.integers(0, 60)),
    runs_max=st.integers(1, 50),
)
def test_narrowing_by_time_misses_nothing(
    moments: list[int],
    reopened_at: set[int],
    bounds: tuple[int | None, int | None],
    within: tuple[int, int],
    runs_max: int,
) -> None:
    """Every entry within the bounds lies in a span; spans are in order and within what was asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "RUNS_MAX", runs_max)
        runs = runs_of(moments, reopened_at)
    assert len(runs) <= runs_max
    asked = Span(within[0], min(within[1], len(moments)))
    spans = narrow(runs, asked, bounds, lambda seq: moments[seq - 1])
    covered = [seq for span in spans for seq in range(span.after_seq + 1, span.upto_seq + 1)]
    assert covered == sorted(set(covered))
    assert set(covered) <= set(range(asked.after_seq + 1, asked.upto_seq + 1))
    low, high = bounds
    for seq in range(asked.after_seq + 1, asked.upto_seq + 1):
        at_us = moments[seq - 1]
        if (low is None or at_us >= low) and (high is None or at_us <= high):
            assert seq in covered


@pytest.mark.property
@given(
    moments=st.lists(st.integers(0, 1000), max_size=60).map(sorted),
    low=st.integers(0, 1000),
    width=st.integers(0, 99),
)
def test_times_that_only_grow_are_bisected_to_the_entry(moments: list[int], low: int, width: int) -> None:
    """Without a step nothing is looked at in vain."""
    spans = narrow(
        runs_of(moments, set()), Span(0, len(moments)), (low, low + width), lambda seq: moments[seq - 1]
    )
    covered = [seq for span in spans for seq in range(span.after_seq + 1, span.upto_seq + 1)]
    assert covered == [seq for seq, at_us in enumerate(moments, 1) if low <= at_us <= low + width]


async def test_a_clock_that_was_set_back_between_runs_is_one_step(tmp_path: Path) -> None:
    """The step is kept in the file, and found again by the next writer."""
    path = tmp_path / "j.db"
    for hour in (0, -1, -2):
        async with SqliteJournal(path) as journal:
            await journal.append(
                [was_set("/a", n, START_US + hour * 3_600_000_000 + n * 1_000_000) for n in range(50)]
            )
    db = sqlite3.connect(path)
    assert db.execute("SELECT seq, slack_us FROM clock_step").fetchall() == [(1, 0), (51, 0), (101, 0)]
    db.close()
    async with SqliteJournal(path, read_only=True) as reader:
        first = START_US - 3_600_000_000 + 10_000_000
        found = await reader.query("/**", first, first + 5_000_000)
    assert [entry.seq for entry in found] == [61, 62, 63, 64, 65, 66]
