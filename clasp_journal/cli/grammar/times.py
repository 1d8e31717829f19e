"""The grammar of times: what can be said for an instant, and how one is written.

    now                             21:03   21:03:17.250   (the last time it was that late)
    5 min ago   -90s   1h30m ago    yesterday 21:03   today 8:00   yesterday
    2026-11-21  2026-11-21T21:03    2026-11-21 21:03:17+01:00   2026-11-21T20:03:17.25Z
    @1708500000   1708500000000 (13 digits: ms)   1708500000000000 (16 digits: µs)
    seq:81200   mark:doors-open

Laws: `parse_time` of what `format_time` writes is the same instant; a text has one meaning or none; a wall
time that happened twice or never, where clocks were changed, is refused with what to write instead.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import NamedTuple, TypeAlias

from clasp_journal.cli.grammar.spans import SPAN, parse_span
from clasp_journal.cli.grammar.zones import EPOCH, LOCAL_ZONE, Zone
from clasp_journal.errors import BadInput

EXAMPLES = (
    "21:03, 21:03:17.250, 'yesterday 21:03', '5 min ago', -90s, 2026-11-21T21:03, @1708500000, seq:81200, "
    "mark:NAME, now"
)

_CLOCK = r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6}))?)?"
_ZONE = r"(Z|[+-]\d{2}:?\d{2}(?::\d{2})?)?"
_BARE_CLOCK = _CLOCK
_DAY_WORD = rf"(today|yesterday)(?:\s+{_CLOCK})?"
_ISO = rf"(\d{{4}})-(\d{{2}})-(\d{{2}})(?:[T ]{_CLOCK}\s?{_ZONE})?"
_SECONDS = r"@(\d{1,14})(?:\.(\d{1,6}))?"
_AGO = rf"(?:-\s*({SPAN})|({SPAN})\s+ago)"
_DAY = timedelta(days=1)
EARLIEST_US = (datetime(2, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
"""From there on every zone has a wall clock for an instant, with which it can be written."""
LATEST_US = 2**64 - 1
"""The wire has no later time."""
_SEQ_DIGITS_MAX = 19


class TimeError(BadInput):
    """A text that names no instant, or not exactly one."""


class Instant(NamedTuple):
    """A point in time, in microseconds since the Unix epoch."""

    us: int


class Place(NamedTuple):
    """A place in the log: right after the entry with this number."""

    seq: int


class Mark(NamedTuple):
    """An instant that somebody named."""

    name: str


Moment: TypeAlias = Instant | Place | Mark
"""What a text can mean before the journal is asked."""


def parse_time(text: str, now_us: int, zone: Zone = LOCAL_ZONE) -> Moment:
    """What a text means at the instant `now_us` in a zone; otherwise `TimeError`."""
    text = text.strip()
    scheme, colon, rest = text.partition(":")
    if colon and scheme == "seq":
        if not (rest.isascii() and rest.isdecimal() and len(rest) <= _SEQ_DIGITS_MAX):
            raise TimeError(f"{text!r}: an entry has a number, like seq:81200")
        return Place(int(rest))
    if colon and scheme == "mark":
        if not rest:
            raise TimeError("mark: what is its name? like mark:doors-open")
        return Mark(rest)
    at_us = _parse_instant(text, now_us, zone)
    if at_us < EARLIEST_US:
        raise TimeError(f"{text!r}: no calendar here goes back so far; examples: {EXAMPLES}")
    if at_us > LATEST_US:
        raise TimeError(f"{text!r}: no journal goes that far; examples: {EXAMPLES}")
    return Instant(at_us)


def format_time(at_us: int, zone: Zone = LOCAL_ZONE) -> str:
    """An instant to the microsecond, with the offset of the zone, so that it has one meaning anywhere."""
    try:
        return zone.wall(at_us).isoformat(timespec="microseconds")
    except (OverflowError, ValueError):
        return f"@{at_us // 1_000_000}.{at_us % 1_000_000:06d}"


def _parse_instant(text: str, now_us: int, zone: Zone) -> int:
    if text.lower() == "now":
        return now_us
    if text.isascii() and text.isdecimal() and len(text) in (13, 16):
        return int(text) * (1_000 if len(text) == 13 else 1)
    if match := _match(_SECONDS, text):
        return int(match[1]) * 1_000_000 + _fraction_us(match[2])
    if match := _match(_AGO, text):
        return now_us - parse_span(match[1] or match[2])
    if match := _match(_BARE_CLOCK, text):
        return _last_time(match.groups(), now_us, zone)
    if match := _match(_DAY_WORD, text):
        days = 1 if match[1].lower() == "yesterday" else 0
        today = zone.wall(now_us).replace(tzinfo=None, fold=0)
        return _instant(_at_clock(today - days * _DAY, match.groups()[1:], text), zone)
    if match := _match(_ISO, text):
        return _iso(match, text, zone)
    raise TimeError(f"{text!r} is no time; examples: {EXAMPLES}")


def _match(form: str, text: str) -> re.Match[str] | None:
    # Compiled when it is first used: most calls of the tool name no time.
    return re.fullmatch(form, text, re.ASCII | re.IGNORECASE)


def _iso(match: re.Match[str], text: str, zone: Zone) -> int:
    try:
        day = datetime.combine(date(int(match[1]), int(match[2]), int(match[3])), time())
    except ValueError:
        raise TimeError(f"{text!r}: there is no such day; examples: {EXAMPLES}") from None
    wall = _at_clock(day, match.groups()[3:7], text)
    return _instant(wall, zone if match[8] is None else Zone(_offset(match[8], text)))


def _offset(text: str, whole: str) -> timezone:
    if text in "Zz":
        return UTC
    digits = text[1:].replace(":", "")
    hours, minutes, seconds = int(digits[:2]), int(digits[2:4]), int(digits[4:6] or 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        raise TimeError(f"{whole!r}: there is no offset {text}; examples: +02:00, Z")
    ahead = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return timezone(-ahead if text[0] == "-" else ahead)


def _at_clock(day: datetime, clock: tuple[str | None, ...], text: str) -> datetime:
    """A time of that day; midnight where none is given."""
    hour, minute, second = (int(part or 0) for part in clock[:3])
    try:
        return day.replace(hour=hour, minute=minute, second=second, microsecond=_fraction_us(clock[3]))
    except ValueError:
        raise TimeError(f"{text!r}: no clock shows that; examples: {EXAMPLES}") from None


def _last_time(clock: tuple[str | None, ...], now_us: int, zone: Zone) -> int:
    """The last day on which it was that late; where clocks change, that day must have it exactly once."""
    now = zone.wall(now_us).replace(tzinfo=None, fold=0)
    text = ":".join(part for part in clock[:3] if part)
    wall = _at_clock(now, clock, text)
    found = zone.instants(wall)
    if min(found) > now_us if found else wall > now:
        wall -= _DAY
    return _instant(wall, zone)


def _instant(wall: datetime, zone: Zone) -> int:
    try:
        found = zone.instants(wall)
    except (OverflowError, ValueError):
        raise TimeError(f"{wall.date()}: too far away; examples: {EXAMPLES}") from None
    if len(found) == 1:
        return found[0]
    shown = wall.isoformat(sep=" ")
    if not found:
        before, after = (format_time(found, zone) for found in _around_gap(wall, zone))
        raise TimeError(f"{shown} never was: clocks were set forward then; write {before} or {after}")
    first, second = (format_time(at_us, zone) for at_us in sorted(found))
    raise TimeError(f"{shown} was twice: clocks were set back then; write {first} or {second}")


def _around_gap(wall: datetime, zone: Zone) -> tuple[int, int]:
    """The instants that a clock set forward too late, and one set too early, would call so."""
    earlier, later = zone.instants(wall - _DAY), zone.instants(wall + _DAY)
    day_us = _DAY // timedelta(microseconds=1)
    return earlier[0] + day_us, later[-1] - day_us


def _fraction_us(digits: str | None) -> int:
    return int((digits or "").ljust(6, "0") or 0)
