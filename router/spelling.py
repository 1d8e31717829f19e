"""How the settings that are no quantities are spelled.

Laws: strict, with an example in each refusal; what is written is read back as the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from clasp_journal.entry import TTL_NEVER, sliding_ttl, ttl_is_absolute, ttl_s
from router.quantities import format_span, parse_count, parse_span_s

SNAPSHOT_EVERY_MIN_S = 0.1


def parse_journal(text: str) -> str:
    """Which journal: `sqlite:PATH`, a bare path, `memory:`, `memory:ENTRIES` or `none`."""
    example = "a journal is like sqlite:show.db, memory:, memory:50000 or none"
    scheme, colon, rest = text.partition(":")
    if text == "none":
        return text
    if scheme == "memory" and colon:
        if rest and not (rest.isascii() and rest.isdecimal() and parse_count(rest) > 0):
            raise ValueError(f"{text!r} says no number of entries; {example}")
        return text
    path = rest if scheme == "sqlite" and colon else text
    if not path or "://" in text or not path.isprintable():
        raise ValueError(f"{text!r} names no file; {example}")
    return f"sqlite:{path}"


def parse_snapshot_every(text: str) -> float:
    """A span that is not too short."""
    span_s = parse_span_s(text)
    if span_s < SNAPSHOT_EVERY_MIN_S:
        raise ValueError(f"{text!r} is too often: at the most every {format_span(SNAPSHOT_EVERY_MIN_S)}")
    return span_s


def parse_sessions(text: str) -> int:
    """A number that lets somebody in."""
    sessions = parse_count(text)
    if not sessions:
        raise ValueError(f"{text!r} would let nobody in; a number is like 10 or 10k")
    return sessions


def parse_ttl(text: str) -> int:
    """The TTL word of params that are set without one."""
    if text == "never":
        return TTL_NEVER
    example = "a TTL is never, or whole seconds like 90, 5min or 1h"
    try:
        seconds = parse_span_s(text)
    except ValueError:
        raise ValueError(f"{text!r} is none; {example}") from None
    if not 1 <= seconds < 1 << 31 or seconds % 1:
        raise ValueError(f"{text!r} is too short, too long or no whole seconds; {example}")
    return sliding_ttl(int(seconds))


def format_ttl(word: int) -> str:
    """That word again as `parse_ttl` reads it."""
    if ttl_is_absolute(word):
        raise ValueError("the TTL of params that are set without one counts from their last use")
    return "never" if word == TTL_NEVER else format_span(ttl_s(word))


def one_of(*choices: str) -> Callable[[str], str]:
    """A reader of a few fixed words."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"{text!r} is none of {', '.join(choices)}")
        return text

    return parse


def parse_switch(text: str) -> bool:
    """`true` or `false`."""
    return one_of("true", "false")(text.lower()) == "true"


def format_switch(on: bool) -> str:
    """The text that `parse_switch` reads."""
    return str(on).lower()


def parse_file(text: str) -> str:
    """A file, or `none`."""
    if not text or "://" in text or not text.isprintable():
        raise ValueError(f"{text!r} names no file; an example is show.jsonl, or none")
    return text


def parse_name(text: str) -> str:
    """What a router calls itself."""
    if not text.isprintable() or not 0 < len(text.encode()) <= 255:
        raise ValueError(f"{text!r} is no name: 1 to 255 bytes without control characters, like stage-left")
    return text


def parse_list(parse_item: Callable[[str], str], text: str) -> tuple[str, ...]:
    """Items with commas between, each once; `none` stands for no item."""
    if text == "none":
        return ()
    return tuple(dict.fromkeys(parse_item(item.strip()) for item in text.split(",")))


def format_list(items: Iterable[str]) -> str:
    """The text that `parse_list` reads."""
    return ",".join(items) or "none"
