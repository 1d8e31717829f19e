"""The quantities people write into settings: `30s`, `20GB`, `50M`, `100/s`, `127.0.0.1:7330`.

Laws: small and strict, what cannot be read is refused with an example, never guessed; what `format_span`,
`exact_size` and `str` write is read back as the same quantity.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

_NUMBER = re.compile(r"([0-9]{1,16}(?:\.[0-9]{1,20})?) ?([A-Za-z]*)")
_PORT = re.compile(r"[0-9]{1,5}")
_PORT_MAX = 65_535
_SPANS_S = {
    "ms": Fraction(1, 1_000),
    "": Fraction(1),
    "s": Fraction(1),
    "min": Fraction(60),
    "m": Fraction(60),
    "h": Fraction(3_600),
    "d": Fraction(86_400),
    "w": Fraction(604_800),
}
_COUNTS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_SIZES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}

SPAN_MAX_S = 100 * 365 * 86_400.0
COUNT_MAX = 10**15
"""Beyond these no setting means anything."""


def parse_span_s(text: str) -> float:
    """A span of time in seconds: `250ms`, `30s`, `5min`, `2h`, `30d`; a bare number is seconds."""
    number, unit = _split(text, "span of time like 30s, 5min or 2h")
    if unit not in _SPANS_S:
        raise ValueError(f"{text!r} is no span of time like 30s, 5min or 2h")
    span_s = float(number * _SPANS_S[unit])
    if span_s > SPAN_MAX_S:
        raise ValueError(f"{text!r} is more than a hundred years; a span of time is like 30s, 5min or 2h")
    return span_s


def parse_count(text: str) -> int:
    """A whole number, perhaps with k, M or G."""
    number, unit = _split(text, "number like 5000, 10k or 50M")
    count = number * _COUNTS.get(unit, 0)
    if unit not in _COUNTS or count.denominator != 1 or count > COUNT_MAX:
        raise ValueError(f"{text!r} is no number like 5000, 10k or 50M")
    return int(count)


def parse_rate_per_s(text: str) -> int:
    """Messages per second: `1000/s` or `1000`."""
    try:
        return parse_count(text.removesuffix("/s"))
    except ValueError:
        raise ValueError(f"{text!r} is no rate like 1000/s") from None


class Address(NamedTuple):
    """Where to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_listen(text: str) -> Address:
    """`HOST:PORT`, `[IPV6]:PORT`, `:PORT` or `PORT`; port 0 lets the system choose."""
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = "", text
    if host.startswith("[") and host.endswith("]") and ":" in host:
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"{text!r} is no HOST:PORT; an IPv6 address is written like [::1]:7330")
    if not (host.isprintable() and not set(host) & set("[]/ ")):
        raise ValueError(f"{text!r} is no HOST:PORT like 127.0.0.1:7330")
    if not _PORT.fullmatch(port) or int(port) > _PORT_MAX:
        raise ValueError(f"{text!r} is no HOST:PORT like 127.0.0.1:7330")
    return Address(host or "127.0.0.1", int(port))


class Retention(NamedTuple):
    """How much of the past is kept; None keeps all of it."""

    age_s: float | None = None
    size_bytes: int | None = None
    entries: int | None = None

    def __str__(self) -> str:
        parts = []
        if self.age_s is not None:
            parts.append(format_span(self.age_s))
        if self.size_bytes is not None:
            parts.append(exact_size(self.size_bytes))
        if self.entries is not None:
            parts.append(_in_units(self.entries, _COUNTS))
        return ",".join(parts) or "all"


_RETENTION = "like 30d, 20GB, 50M, several with commas between, or all"


def parse_retention(text: str) -> Retention:
    """Any of an age (`30d`), a size (`20GB`) and a count (`50M`), with commas between; `all` keeps all."""
    if text == "all":
        return Retention()
    given: dict[str, float | int] = {}
    for part in text.split(","):
        field, quantity = _parse_bound(part.strip())
        if field in given:
            raise ValueError(f"{text!r} says two of one kind; retention is {_RETENTION}")
        if not quantity:
            raise ValueError(f"{part.strip()!r} would keep nothing; for that there is --journal none")
        given[field] = quantity
    return Retention(**given)  # type: ignore[arg-type]


def parse_size_bytes(text: str) -> int:
    """A number of bytes: `500MB`, `1GB`, `0B`."""
    number, unit = _split(text, "size like 500MB or 1GB")
    size_bytes = int(number * _SIZES.get(unit, 0))
    if unit not in _SIZES or size_bytes > COUNT_MAX:
        raise ValueError(f"{text!r} is no size like 500MB or 1GB")
    return size_bytes


def _parse_bound(text: str) -> tuple[str, float | int]:
    """Which kind of bound a text is, told by its unit: no unit is in two of the tables but the empty one."""
    number, unit = _split(text, f"retention {_RETENTION}")
    if unit in _SIZES:
        size_bytes = int(number * _SIZES[unit])
        if size_bytes > COUNT_MAX:
            raise ValueError(f"{text!r} is more than any disk holds; retention is {_RETENTION}")
        return "size_bytes", size_bytes
    if unit in _COUNTS:
        return "entries", parse_count(text)
    if unit in _SPANS_S:
        return "age_s", parse_span_s(text)
    raise ValueError(f"{text!r} is no retention {_RETENTION}")


def format_span(seconds: float) -> str:
    """A span as `parse_span_s` reads it."""
    for unit in ("d", "h", "min"):
        size_s = float(_SPANS_S[unit])
        if seconds and seconds % size_s == 0:
            return f"{int(seconds / size_s)}{unit}"
    return f"{Decimal(repr(seconds)).normalize():f}s"


def exact_size(size_bytes: int) -> str:
    """A size as `parse_size_bytes` reads it."""
    return _in_units(size_bytes, _SIZES)


def _in_units(number: int, units: dict[str, int]) -> str:
    """A whole number of the largest unit that there is one of."""
    whole = [unit for unit, size in units.items() if number and number % size == 0]
    unit = whole[-1] if whole else next(iter(units))
    return f"{number // units[unit]}{unit}"


def format_size(size_bytes: int) -> str:
    """A size for people: `512 B`, `12.3 MB`."""
    for unit in ("TB", "GB", "MB", "KB"):
        if size_bytes >= _SIZES[unit]:
            return f"{size_bytes / _SIZES[unit]:.1f} {unit}"
    return f"{size_bytes} B"


def _split(text: str, wanted: str) -> tuple[Fraction, str]:
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no {wanted}")
    return Fraction(match[1]), match[2]
