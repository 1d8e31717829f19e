"""The grammar of spans of time: 90s, 1h30m, 250 ms, 2 weeks.

Law: `parse_span` of what `format_span` writes is the same span, to the microsecond.
"""

from __future__ import annotations

import re

from clasp_journal.errors import BadInput

_WORDS = {
    1: ("us", "µs"),
    1_000: ("ms",),
    1_000_000: ("s", "sec", "secs", "second", "seconds"),
    60_000_000: ("m", "min", "mins", "minute", "minutes"),
    3_600_000_000: ("h", "hr", "hrs", "hour", "hours"),
    86_400_000_000: ("d", "day", "days"),
    604_800_000_000: ("w", "week", "weeks"),
}
_MILLION = 1_000_000
_UNITS_US = {word: unit_us for unit_us, words in _WORDS.items() for word in words}
_UNIT = "|".join(sorted(_UNITS_US, key=len, reverse=True))
_PART = rf"(\d{{1,12}}(?:\.\d{{1,6}})?)\s*({_UNIT})(?![a-zA-Zµ])"
SPAN = (
    rf"(?:\d{{1,12}}(?:\.\d{{1,6}})?\s*(?:{_UNIT})(?![a-zA-Zµ])\s*)*\d{{1,12}}(?:\.\d{{1,6}})?\s*(?:{_UNIT})"
)
"""What a span looks like, for the grammar of times."""


class SpanError(BadInput):
    """A text that is no span of time."""


def parse_span(text: str) -> int:
    """The microseconds of a span; otherwise `SpanError`."""
    text = text.strip()
    if not re.fullmatch(SPAN, text, re.ASCII | re.IGNORECASE):
        raise SpanError(f"{text!r} is no span of time; examples: 90s, 250ms, 1h30m, 2 days")
    parts = re.findall(_PART, text, re.ASCII | re.IGNORECASE)
    total = sum(_millionths(number) * _UNITS_US[unit.lower()] for number, unit in parts)
    if total % _MILLION:
        raise SpanError(f"{text!r} is finer than a microsecond")
    return total // _MILLION


def format_span(span_us: int) -> str:
    """A span to the microsecond, in the units that a person reads: 1h30m, 2.5s, 250ms."""
    if span_us < 1_000:
        return f"{span_us}us"
    if span_us < 1_000_000:
        return f"{_decimal(span_us, 1_000)}ms"
    parts = []
    for unit_us, unit in ((86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "m")):
        count, span_us = divmod(span_us, unit_us)
        if count:
            parts.append(f"{count}{unit}")
    if span_us or not parts:
        parts.append(f"{_decimal(span_us, 1_000_000)}s")
    return "".join(parts)


def _millionths(number: str) -> int:
    whole, _, fraction = number.partition(".")
    return int(whole + fraction.ljust(6, "0"))


def _decimal(number: int, unit: int) -> str:
    whole, rest = divmod(number, unit)
    digits = len(str(unit)) - 1
    return f"{whole}.{rest:0{digits}d}".rstrip("0").rstrip(".")
