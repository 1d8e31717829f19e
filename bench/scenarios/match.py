"""Patterns against addresses, beside the matcher of clasp-to, the published Python client.

clasp-to knows no wildcard inside a segment, so its answer to the partial pattern is quick and wrong.
"""

from collections.abc import Callable

from clasp.client import Clasp

from bench.measure import Options, Row, Work, compare
from clasp_journal.address import Pattern

SCENARIO = "match"
ADDRESSES = [f"/stage/rig{number % 4}/fixture{number}/level" for number in range(64)]
PATTERNS = {
    "literal": "/stage/rig1/fixture1/level",
    "one *": "/stage/rig1/*/level",
    "three *": "/stage/*/*/*",
    "** at the end": "/stage/rig1/**",
    "** in the middle": "/stage/**/level",
    "partial": "/stage/rig*/fixture1*/level",
}
HOSTILE = "/" + "/".join(["**", "a*", "b"] * 8)
HOSTILE_ADDRESS = "/" + "/".join(["a1", "b"] * 16)


def run(options: Options) -> list[Row]:
    """Match patterns of four segments; then one that makes backtracking matchers explode, and the rest."""
    rows = []
    for name, text in PATTERNS.items():
        works = {
            f"{name}: clasp-to": asking_peer(text),
            f"{name}: ours": asking(Pattern.parse(text).matches),
        }
        rows += compare(SCENARIO, works, options, operations=len(ADDRESSES))
    for name, work in others().items():
        rows += compare(SCENARIO, {name: work}, options)
    return rows


def others() -> dict[str, Work]:
    """What clasp-to cannot do, or would not come back from."""
    hostile, wide = Pattern.parse(HOSTILE), Pattern.parse("/stage/**")
    narrow = Pattern.parse(PATTERNS["partial"])
    return {
        "8 of ** against 32 segments": lambda: hostile.matches(HOSTILE_ADDRESS),
        "covers": lambda: wide.covers(narrow),
        "parse": lambda: Pattern.parse(PATTERNS["partial"]),
    }


def asking(matches: Callable[[str], bool]) -> Work:
    """Whether it matches, for every address."""

    def every_address() -> None:
        for address in ADDRESSES:
            matches(address)

    return every_address


def asking_peer(pattern: str) -> Work:
    """The same, as clasp-to asks it."""
    peer = Clasp("")

    def every_address() -> None:
        for address in ADDRESSES:
            peer._match_pattern(pattern, address)

    return every_address
