"""What the README says about speed, made from the run that is kept in `bench/results`.

`python -m bench --peers --json bench/results/quoted.json` makes such a run, `python -m tests.readme_tables`
puts it into the README.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.measure import Row
from bench.page import format_value
from bench.targets import OFF, ON, RELAY

QUOTED = Path(__file__).parent / "results" / "quoted.json"

QUIET_LOAD = 0.5
"""Load average up to which a machine has nothing else to do."""

COLUMNS = {
    "journal on": ON,
    "journal off": OFF,
    "relay": RELAY,
    "nats-server": "nats-server",
    "redis": "redis",
    "mosquitto": "mosquitto",
}
"""By what the server's name begins with; of several doors of one server, the best."""
PEERS = ("nats-server", "redis", "mosquitto")
AHEAD = 1.05
"""So many times better is ahead; less differs from run to run."""

LINES = (
    ("relay", "SET+ACK 1-1", "pipelined"),
    ("relay", "PUBLISH 1-1", "pipelined"),
    ("relay", "PUBLISH 50-1", "pipelined"),
    ("fanout", "PUBLISH 1-10", "pipelined"),
    ("fanout", "PUBLISH 1-100", "pipelined"),
    ("fanout", "PUBLISH 1-500", "pipelined"),
    ("fanout", "PUBLISH 1-100, two groups in turns", "pipelined"),
    ("fanout", "PUBLISH 1-100", "one per tick"),
    ("persisted", "SET QoS 1", "pipelined"),
    ("persisted", "SET QoS 2", "pipelined"),
    ("latency", "PUBLISH 1-1", "5 k msg/s"),
    ("latency", "PUBLISH 1-1", "50 k msg/s"),
    ("crowd", "1,000 clients connect and subscribe", ""),
    ("crowd", "memory of an idle connection", ""),
    ("overload", "a reader that never reads", "pipelined"),
)
"""Scenario, name and regime of what is quoted."""


def rows_of(run: Mapping[str, Any]) -> list[Row]:
    """The rows of a run as it was written."""
    return [Row(**row) for row in run["rows"]]


def speed() -> Iterable[str]:
    """The machine, the figures beside others, who is faster, and every target."""
    run = json.loads(QUOTED.read_text(encoding="utf-8"))
    rows = rows_of(run)
    yield from _machine(run["taken_on"])
    yield ""
    yield from _figures(rows)
    yield ""
    yield "Where a broker does better than the router with its journal on, and how many times better:"
    yield ""
    yield from others_ahead(rows)
    yield ""
    yield from _verdicts(rows)


def _machine(taken_on: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{taken_on['cpu']}, {taken_on['cores']} cores: the server on core {taken_on['server_core']}, the"
        f" generator on core {taken_on['generator_core']}, the journal's process on core"
        f" {taken_on['journal_core']}; {taken_on['system']}, Python {taken_on['python']}, {taken_on['loop']},"
        f" the router {taken_on['router']};"
        f" medians of up to {taken_on['rounds']} rounds."
    )
    if taken_on["load_before"] > QUIET_LOAD:
        yield (
            f"The machine was not quiet (load {taken_on['load_before']:.1f} before the run):"
            " the ratios are to be trusted little, and the rest less."
        )


def _figures(rows: list[Row]) -> Iterator[str]:
    yield f"| | unit | {' | '.join(COLUMNS)} |"
    yield f"|---|---|{'---:|' * len(COLUMNS)}"
    for line in LINES:
        here = [row for row in rows if row.key[:3] == line]
        if here:
            best = [_best(here, prefix) for prefix in COLUMNS.values()]
            cells = [format_value(row.value) if row else "–" for row in best]
            yield f"| {_title(here[0])} | {here[0].unit} | {' | '.join(cells)} |"


def others_ahead(rows: list[Row]) -> Iterator[str]:
    """Every quoted line where a broker does better, and how much better."""
    yield f"| | {' | '.join(PEERS)} |"
    yield f"|---|{'---:|' * len(PEERS)}"
    for line in LINES:
        here = [row for row in rows if row.key[:3] == line]
        ours = _best(here, ON)
        factors = [_advantage(_best(here, prefix), ours) for prefix in PEERS]
        if any(factor >= AHEAD for factor in factors):
            cells = [f"{factor:.1f}" if factor >= AHEAD else "" for factor in factors]
            yield f"| {_title(here[0])} | {' | '.join(cells)} |"


def _verdicts(rows: list[Row]) -> Iterator[str]:
    yield "| target | server | |"
    yield "|---|---|---|"
    for row in rows:
        for verdict in filter(None, row.verdict.split("; ")):
            yield f"| {_escaped(_title(row))} | {row.server} | {verdict} |"


def _title(row: Row) -> str:
    """What was measured, and in which regime."""
    what = f"{row.scenario.replace('_', ' ')}: {row.name}"
    return f"{what}, {row.regime}" if row.regime else what


def _escaped(text: str) -> str:
    """A bar would begin another cell."""
    return text.replace("|", "\\|")


def _best(rows: Iterable[Row], prefix: str) -> Row | None:
    """The best row of a server."""
    theirs = [row for row in rows if row.server.startswith(prefix)]
    if not theirs:
        return None
    return (
        max(theirs, key=lambda row: row.value)
        if _more_is_better(theirs[0])
        else min(theirs, key=lambda row: row.value)
    )


def _advantage(theirs: Row | None, ours: Row | None) -> float:
    """How many times better theirs is; 0 where there is nothing to compare."""
    if theirs is None or ours is None:
        return 0.0
    better, worse = (theirs, ours) if _more_is_better(ours) else (ours, theirs)
    return better.value / worse.value if worse.value else 0.0


def _more_is_better(row: Row) -> bool:
    return row.unit.endswith("/s")
