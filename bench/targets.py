"""What the project wants to reach, as data: a row, what it is compared with, and the bound.

A target that names a row of another server is a ratio within the run. One whose rows were not measured in a
run says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bench.measure import Row

Key = tuple[str, str, str, str]
"""Scenario, name, regime, server."""


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
        sign = "≤" if self.at_most else "≥"
        unit = "" if self.beside is None else f" x {self.beside[3] or self.beside[1]}"
        return f"{'met' if met else 'MISSED'}: {figure:.3g} {sign} {self.bound:g}{unit}"


TARGETS: tuple[Target, ...] = ()


def judged(rows: list[Row], targets: Iterable[Target] = TARGETS) -> list[Row]:
    """The rows, each with the verdict of the targets that it has."""
    values = {row.key: row.value for row in rows}
    verdicts: dict[Key, list[str]] = {}
    for target in targets:
        if target.row in values and (target.beside is None or values.get(target.beside)):
            other = values[target.beside] if target.beside else None
            verdicts.setdefault(target.row, []).append(target.verdict(values[target.row], other))
    return [replace(row, verdict="; ".join(verdicts.get(row.key, []))) for row in rows]
