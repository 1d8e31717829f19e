"""A run says where the project stands, and the README quotes a run."""

import json

from bench.__main__ import scenarios
from bench.measure import Row
from bench.readme import QUOTED, others_ahead, rows_of
from bench.targets import OFF, ON, RELAY, TARGETS, Target, judged

CASE = ("relay", "PUBLISH 1-1", "pipelined")


def row(server: str, value: float, unit: str = "sent/s") -> Row:
    """A row of the case."""
    scenario, name, regime = CASE
    return Row(scenario, name, value, unit, server=server, regime=regime)


def test_a_target_is_judged_within_one_run():
    """It says the figure, what it is compared with, and the bound."""
    rows = judged([row(ON, 30.0), row(RELAY, 10.0)], [Target((*CASE, ON), 2, (*CASE, RELAY))])
    assert [one.verdict for one in rows] == ["met: 3 x websockets relay (≥ 2)", ""]


def test_a_missed_target_is_told():
    """An absolute one, with a ceiling; two targets of a row stand side by side."""
    targets = [Target((*CASE, ON), 8, at_most=True), Target((*CASE, ON), 5)]
    assert judged([row(ON, 9.0)], targets)[0].verdict == "missed: 9 (≤ 8); met: 9 (≥ 5)"


def test_what_was_not_measured_is_not_judged():
    """Neither a row that is missing nor one whose companion is."""
    assert judged([row(ON, 1.0)], [Target((*CASE, ON), 2, (*CASE, RELAY))])[0].verdict == ""
    assert judged([], TARGETS) == []


def test_every_target_belongs_to_a_scenario():
    """One that names no scenario would never be judged."""
    assert {target.row[0] for target in TARGETS} <= set(scenarios())


def test_targets_find_their_rows():
    """In the run that the README quotes, every target but those of large runs is judged."""
    run = json.loads(QUOTED.read_text(encoding="utf-8"))
    measured = {one.key for one in rows_of(run)}
    absent = [target.row for target in TARGETS if target.row not in measured]
    assert all("10,000,000" in name for _, name, _, _ in absent)


def test_the_readme_says_where_others_are_faster():
    """More per second is better, fewer microseconds are; what is slower is not named."""
    rates = [row(ON, 10.0), row(OFF, 40.0), row("nats-server tcp", 20.0), row("redis pub/sub", 5.0)]
    assert [*others_ahead(rates)][2:] == ["| relay: PUBLISH 1-1, pipelined | 2.0 |  |  |"]
    assert [*others_ahead([row(ON, 10.0), row("nats-server tcp", 10.2)])][2:] == []
