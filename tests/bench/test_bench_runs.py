"""Every scenario runs to its end: figures that nobody can take any more would be found too late."""

import math

import pytest

from bench.__main__ import run_scenario, scenarios
from bench.measure import Options
from bench.servers.ours import clasp_router


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


def test_any_router_can_be_measured():
    """The one at a URL takes the place of ours; of its process nothing is known."""
    with clasp_router("none") as router:
        url = f"ws://127.0.0.1:{router.port}"
        rows = run_scenario("relay", Options(rounds=1, tiny=True, url=url))
    measured = [row for row in rows if row.server == url]
    assert len(measured) == 4
    assert all(row.value > 0 and row.cpu_us is None for row in measured)
