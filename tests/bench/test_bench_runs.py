"""Every scenario runs to its end: figures that nobody can take any more would be found too late."""

import math

import pytest

from bench.__main__ import run_scenario, scenarios
from bench.measure import Options


@pytest.mark.parametrize("name", scenarios())
def test_a_scenario_runs_with_tiny_numbers(name: str) -> None:
    """It gives rows of its own name, each with a value and a unit."""
    rows = run_scenario(name, Options(rounds=1, tiny=True))
    assert rows
    assert {row.scenario for row in rows} == {name}
    assert len({row.key for row in rows}) == len(rows), "two rows have the same name"
    for row in rows:
        assert math.isfinite(row.value), row.name
        assert row.unit, row.name
