"""The text format of Prometheus, version 0.0.4. Pure.

Laws: every metric has its help and type once, before its samples; a label can contain anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class Sample(NamedTuple):
    """One number of a metric."""

    value: float
    labels: tuple[tuple[str, str], ...] = ()
    suffix: str = ""
    """What stands behind the name: a histogram's `_bucket`, `_sum` and `_count`."""


def sample(value: float, **labels: str) -> Sample:
    """A number with its labels."""
    return Sample(value, tuple(labels.items()))


def histogram(
    bounds: Iterable[float], counts: Iterable[int], total: float, **labels: str
) -> Iterable[Sample]:
    """Observations sorted by upper bounds, with one count more than bounds for those beyond."""
    told = tuple(labels.items())
    sofar = 0
    for bound, count in zip((*bounds, float("inf")), counts, strict=True):
        sofar += count
        yield Sample(sofar, (*told, ("le", _number(bound))), "_bucket")
    yield Sample(total, told, "_sum")
    yield Sample(sofar, told, "_count")


def format_metric(name: str, kind: str, help_text: str, samples: Iterable[Sample]) -> str:
    """A metric with all its samples."""
    lines = [f"# HELP {name} {_one_line(help_text)}", f"# TYPE {name} {kind}"]
    for value, labels, suffix in samples:
        shown = ",".join(f'{label}="{text.translate(_ESCAPES)}"' for label, text in labels)
        lines.append(
            f"{name}{suffix}{{{shown}}} {_number(value)}" if shown else f"{name}{suffix} {_number(value)}"
        )
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    if value == float("inf"):
        return "+Inf"
    return str(int(value)) if value == int(value) else repr(value)
