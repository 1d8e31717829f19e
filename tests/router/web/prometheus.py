"""A strict reader of the text format of Prometheus: what it does not know is an error."""

import math
import re
from typing import NamedTuple

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_HELP = re.compile(rf"# HELP ({_NAME}) (\S.*)")
_TYPE = re.compile(rf"# TYPE ({_NAME}) (counter|gauge|histogram)")
_SAMPLE = re.compile(rf"({_NAME})(?:\{{(.*)\}})? (\+Inf|-?\d+(?:\.\d+)?(?:e-?\d+)?)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)')


class Family(NamedTuple):
    """One metric: its type, and its samples by what stands behind the name and by labels."""

    kind: str
    samples: dict[tuple[str, tuple[tuple[str, str], ...]], float]

    def __getitem__(self, labels: dict[str, str]) -> float:
        return self.samples["", tuple(labels.items())]


def read(text: str) -> dict[str, Family]:
    """All metrics by name."""
    assert text.endswith("\n")
    families: dict[str, Family] = {}
    lines = iter(text.splitlines())
    name = ""
    for line in lines:
        if line.startswith("#"):
            told = _HELP.fullmatch(line)
            typed = _TYPE.fullmatch(next(lines))
            assert told, line
            assert typed, line
            name = told[1]
            assert typed[1] == name
            assert name not in families, f"{name} stands there twice"
            families[name] = Family(typed[2], {})
            continue
        found = _SAMPLE.fullmatch(line)
        assert found, line
        family = families[name]
        suffix = found[1].removeprefix(name)
        assert suffix in (("_bucket", "_sum", "_count") if family.kind == "histogram" else ("",)), line
        key = (suffix, tuple(_labels(found[2] or "")))
        assert key not in family.samples, line
        family.samples[key] = math.inf if found[3] == "+Inf" else float(found[3])
    for family in families.values():
        _check_histogram(family)
    return families


def _labels(text: str):
    at = 0
    while at < len(text):
        label = _LABEL.match(text, at)
        assert label, text
        yield label[1], re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], label[2])
        at = label.end()


def _check_histogram(family: Family) -> None:
    """Buckets go up to +Inf, never fall, and end at the count."""
    last: dict[tuple, tuple[float, float]] = {}
    for (suffix, labels), value in family.samples.items():
        if suffix == "_bucket":
            (*others, (le, bound)) = labels
            assert le == "le"
            limit = math.inf if bound == "+Inf" else float(bound)
            before = last.get(tuple(others), (-math.inf, 0))
            assert limit > before[0]
            assert value >= before[1]
            last[tuple(others)] = (limit, value)
    for others, (limit, value) in last.items():
        assert limit == math.inf
        assert family.samples["_count", others] == value
