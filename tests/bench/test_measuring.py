"""The bench compares fairly and says what it compared."""

import json
from itertools import groupby
from time import perf_counter_ns

from click.testing import CliRunner
from rich.console import Console

from bench.__main__ import main, scenarios
from bench.measure import ROUND_NS_MIN, Options, Row, calls_per_round, compare, interleaved
from bench.page import as_json, as_table, machine

ROWS = [Row("codec", "decode SET", 1234.5, "ns/op", 1.0), Row("codec", "again", 0.25, "s", note="warm")]


def test_works_take_turns():
    """A B A B, never A A B B: a machine that slows down slows both."""
    turns = []

    def work(name):
        turns.append(name)
        sum(range(10_000))

    interleaved({"a": lambda: work("a"), "b": lambda: work("b")}, rounds=3)
    warming_up, measuring = ["a", "b"], ["a", "b"] * 3
    assert [name for name, _ in groupby(turns)] == warming_up + measuring


def test_the_first_work_is_the_baseline():
    """Every row carries its cost per operation and its ratio to the first one."""
    plain, clever = compare("sum", {"plain": dict, "clever": list}, Options(rounds=1), operations=10)
    assert (plain.name, plain.unit, plain.ratio) == ("plain", "ns/op", 1.0)
    assert clever.ratio == clever.value / plain.value


def test_work_that_fills_a_round_is_called_once():
    """Long work is not repeated to be measured."""

    def long_work():
        end = perf_counter_ns() + ROUND_NS_MIN
        while perf_counter_ns() < end:
            pass

    assert calls_per_round(long_work) == 1


def test_an_unknown_scenario_is_refused_with_the_known_ones():
    """Exit 2, and the names to choose from."""
    result = CliRunner().invoke(main, ["nonesuch"])
    assert result.exit_code == 2
    assert "no scenario 'nonesuch'" in result.output
    assert all(name in result.output for name in scenarios())


def test_every_scenario_says_what_it_measures():
    """The list is read from the modules' first lines, and the core itself is no scenario."""
    result = CliRunner().invoke(main, ["--list"])
    assert len(result.output.splitlines()) == len(scenarios())
    assert all(scenarios().values())
    assert not {"measure", "__main__"} & set(scenarios())


def test_people_get_a_table():
    """Thousands have commas, ratios an x, notes their place."""
    console = Console(width=100)
    with console.capture() as capture:
        console.print(as_table(ROWS))
    _, first, second = capture.get().splitlines()
    assert first.split() == ["codec", "decode", "SET", "1,234", "ns/op", "1.00x"]
    assert second.split() == ["codec", "again", "0.25", "s", "warm"]


def test_programs_get_json():
    """The rows come with the machine and the options that they were taken with."""
    written = json.loads(as_json(ROWS, Options(rounds=3), machine()))
    assert written["taken_on"]["rounds"] == 3
    assert {"cpu", "cores", "python", "router"} <= set(written["taken_on"])
    assert [(row["name"], row["value"]) for row in written["rows"]] == [
        ("decode SET", 1234.5),
        ("again", 0.25),
    ]
