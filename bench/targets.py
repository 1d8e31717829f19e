"""What the project wants to reach, as data: a row, the bound, and the row it is compared with, if any.

A target is judged within one run; one whose rows were not measured says nothing. The journal is SQLite and
on, unless the server's name says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bench.measure import Row
from bench.servers.ours import IS_COMPILED

Key = tuple[str, str, str, str]
"""Scenario, name, regime, server."""

ON, OFF = "clasp, journal sqlite", "clasp, journal none"
RELAY, NATS, NATS_WS, REDIS = "websockets relay", "nats-server tcp", "nats-server ws", "redis pub/sub"
JETSTREAM, STREAMS = "nats-server JetStream file", "redis XADD everysec"
MOSQUITTO, BARE = "mosquitto QoS 1, persistence", "bare SQLite executemany"


@dataclass(frozen=True, slots=True)
class Target:
    """At least, or at most, so many times another row; or so much, when there is none."""

    row: Key
    bound: float
    beside: Key | None = None
    at_most: bool = False

    def verdict(self, value: float, other: float | None) -> str:
        """Met or missed, with the figure."""
        figure = value if other is None else value / other
        met = figure <= self.bound if self.at_most else figure >= self.bound
        compared = "" if self.beside is None else f" x {self.beside[3]}"
        if self.beside is not None and self.beside[3] == self.row[3]:
            compared = f" x {self.beside[1]}"
        sign = "≤" if self.at_most else "≥"
        return f"{'met' if met else 'missed'}: {figure:.3g}{compared} ({sign} {self.bound:g})"


def _among(row: tuple[str, str, str], ours: str, bound: float, others: Sequence[str]) -> list[Target]:
    """At least so many times each of the others in the same case."""
    return [Target((*row, ours), bound, (*row, other)) for other in others]


_RELAYED = ("relay", "SET+ACK 1-1", "pipelined")
_KEPT = ("persisted", "SET QoS 1", "pipelined")
_SUSTAINED = "SET QoS 1, sustained"
_MANY = "PUBLISH 1-100"
_TURNS = "PUBLISH 1-100, two groups in turns"
_ZIPF = ("subscriptions", "PUBLISH 1-1, Zipf addresses", "pipelined")
_AT_5K, _AT_40K = "5 k msg/s", "40 k msg/s"
_ASKED = ("exact", "prefix", "middle wildcard, 2,000 addresses")

TARGETS: tuple[Target, ...] = (
    *_among(_RELAYED, OFF, 14, [RELAY]),
    Target((*_RELAYED, OFF), 1.0 if IS_COMPILED else 0.5, ("relay", "PUBLISH 1-1", "pipelined", NATS_WS)),
    Target(("persisted", _SUSTAINED, "pipelined", ON), 0.75, ("persisted", _SUSTAINED, "", BARE)),
    *_among(_KEPT, ON, 1, [MOSQUITTO, JETSTREAM, STREAMS]),
    *_among(("fanout", _MANY, "pipelined"), ON, 3, [NATS, REDIS]),
    *_among(("fanout", _TURNS, "pipelined"), ON, 1, [NATS, REDIS]),
    *_among(("fanout", _MANY, "one per tick"), ON, 0.9, [NATS]),
    Target(
        ("latency", "PUBLISH 1-1", _AT_5K, ON),
        1.3,
        ("latency", "PUBLISH 1-1", _AT_5K, NATS_WS),
        at_most=True,
    ),
    Target(
        (*_ZIPF, f"{OFF}, 100,000 subscriptions"),
        0.85,
        (*_ZIPF, f"{OFF}, 100 subscriptions"),
    ),
    *(Target(("crowd", "memory of an idle connection", "", ours), 20, at_most=True) for ours in (OFF, ON)),
    *(
        Target(("overload", "a reader that never reads", "pipelined", ours), 8, at_most=True)
        for ours in (OFF, ON)
    ),
    Target(("late_joiner", "100,000 params: all there", "", ON), 1, at_most=True),
    Target(
        ("late_joiner", "others, meanwhile", _AT_5K, ON),
        2,
        ("late_joiner", "others, nobody joins", _AT_5K, ON),
        at_most=True,
    ),
    *(
        Target(("restart", f"100,000 params, {entries:,} entries", "", ON), 1.5, at_most=True)
        for entries in (1_000_000, 10_000_000)
    ),
    *(Target(("history", f"latest 100: {name}", _AT_40K, ON), 10, at_most=True) for name in _ASKED),
    Target(
        ("history", "others, meanwhile", _AT_40K, ON),
        2,
        ("history", "others, nobody asks", _AT_40K, ON),
        at_most=True,
    ),
    Target(("cli", "--help", "", ""), 150, at_most=True),
    *(
        Target(("cli", f"{asked}, of {entries:,} entries", "", ""), 150, at_most=True)
        for asked in ("query '/show/**' | head -1", "query -n all | head -1")
        for entries in (1_000_000, 10_000_000)
    ),
)


def judged(rows: list[Row], targets: Iterable[Target] = TARGETS) -> list[Row]:
    """The rows, each with the verdict of the targets that it has."""
    values = {row.key: row.value for row in rows}
    verdicts: dict[Key, list[str]] = {}
    for target in targets:
        if target.row in values and (target.beside is None or values.get(target.beside)):
            other = values[target.beside] if target.beside else None
            verdicts.setdefault(target.row, []).append(target.verdict(values[target.row], other))
    return [replace(row, verdict="; ".join(verdicts.get(row.key, []))) for row in rows]
