"""The quantities people write into settings: `30s`, `20GB`, `50M`, `100/s`, `127.0.0.1:7330`.

Small and strict: what cannot be read is refused with an example, never guessed.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

_NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")
_SPANS_S = {
    "ms": 0.001,
    "": 1.0,
    "s": 1.0,
    "min": 60.0,
    "m": 60.0,
    "h": 3_600.0,
    "d": 86_400.0,
    "w": 604_800.0,
}
_COUNTS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_SIZES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def parse_span_s(text: str) -> float:
    """A span of time in seconds: `250ms`, `30s`, `5min`, `2h`, `30d`; a bare number is seconds."""
    number, unit = _split(text, "a span of time like 30s, 5min or 2h")
    if unit not in _SPANS_S:
        raise ValueError(f"{text!r} is no span of time like 30s, 5min or 2h")
    return number * _SPANS_S[unit]


def parse_count(text: str) -> int:
    """A whole number, perhaps with k, M or G."""
    number, unit = _split(text, "a number like 5000, 10k or 50M")
    if unit not in _COUNTS or number * _COUNTS[unit] % 1:
        raise ValueError(f"{text!r} is no number like 5000, 10k or 50M")
    return int(number * _COUNTS[unit])


def parse_rate_per_s(text: str) -> int:
    """Messages per second: `1000/s` or `1000`."""
    return parse_count(text.removesuffix("/s"))


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
    if not port.isdecimal() or int(port) > 65_535:
        raise ValueError(f"{text!r} is no HOST:PORT like 127.0.0.1:7330")
    return Address(host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port))


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
            parts.append(f"{self.size_bytes}B")
        if self.entries is not None:
            parts.append(str(self.entries))
        return ",".join(parts) or "all"


def parse_retention(text: str) -> Retention:
    """Any of an age (`30d`), a size (`20GB`) and a count (`50M`), with commas between; `all` keeps all."""
    retention = Retention()
    if text.strip() in ("", "all"):
        return retention
    for part in text.split(","):
        number, unit = _split(part.strip(), "an age, size or count like 30d,20GB,50M")
        if unit in _SIZES:
            retention = retention._replace(size_bytes=int(number * _SIZES[unit]))
        elif unit in _COUNTS:
            retention = retention._replace(entries=int(number * _COUNTS[unit]))
        elif unit in _SPANS_S:
            retention = retention._replace(age_s=number * _SPANS_S[unit])
        else:
            raise ValueError(f"{part!r} is no age, size or count like 30d,20GB,50M")
    return retention


def format_span(seconds: float) -> str:
    """A span as `parse_span_s` reads it."""
    for unit in ("d", "h", "min"):
        if seconds and seconds % _SPANS_S[unit] == 0:
            return f"{seconds / _SPANS_S[unit]:g}{unit}"
    return f"{seconds:g}s"


def _split(text: str, wanted: str) -> tuple[float, str]:
    match = _NUMBER.fullmatch(text)
    if match is None or math.isinf(float(match[1])):
        raise ValueError(f"{text!r} is no {wanted.removeprefix('a ').removeprefix('an ')}")
    return float(match[1]), match[2]
