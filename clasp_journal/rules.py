"""What is to be kept of which addresses: lines `PATTERN RULE`, of which the first that matches holds.

    keep         every entry; so it is, too, where no line matches
    sample 1s    of entries that are old enough, of each address the last in each period (ms, s, min, h, d, w)
    last-only    of entries that are old enough, of each address the last
    never        nothing is recorded

Laws: SETs and PUBLISHes of an address are looked at apart, so the last SET of all is never thinned; EXPIRE
and the journal's own kinds never are. A SET goes only where the next change that stays tells its revision, so
that the fold of what is left ends with the same state. Whether an entry goes is told by the next one of its
kind and address alone: so the same go, into however many runs the log is cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from clasp_journal.address import Pattern
from clasp_journal.entry import EntryKind
from clasp_journal.errors import PatternError

KEEP, LAST_ONLY, NEVER, SAMPLE = "keep", "last-only", "never", "sample"
RULES_MAX = 256
ADDRESSES_KEPT = 1 << 16
"""Addresses whose rule is remembered."""
EXAMPLE = "a rule is like '/meters/** sample 1s', or ends with keep, last-only or never"

_UNITS_US = {
    "ms": 1_000,
    "s": 1_000_000,
    "min": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
_PERIOD = re.compile(r"([1-9][0-9]{0,6})(ms|s|min|h|d|w)")
_SET, _EXPIRE = int(EntryKind.SET), int(EntryKind.EXPIRE)


class Rule(NamedTuple):
    """One line: a pattern, and what is kept of the addresses that it matches."""

    pattern: Pattern
    words: str
    """What stands behind the pattern."""

    def __str__(self) -> str:
        return f"{self.pattern.text} {self.words}"

    @property
    def thins(self) -> bool:
        """Whether it lets entries go that were recorded."""
        return self.words not in (KEEP, NEVER)

    @property
    def period_us(self) -> int | None:
        """How long a period of `sample` is."""
        match = _PERIOD.search(self.words)
        return int(match[1]) * _UNITS_US[match[2]] if match else None


def parse_rule(text: str) -> Rule:
    """The rule that a line spells; otherwise a `ValueError` that says what a rule is like."""
    pattern, *words = text.split()
    try:
        parsed = Pattern.parse(pattern)
    except PatternError as error:
        raise ValueError(f"{text!r}: {error}; {EXAMPLE}") from None
    if not (words in ([KEEP], [LAST_ONLY], [NEVER]) or words[:1] == [SAMPLE]):
        raise ValueError(f"{text!r} says no rule; {EXAMPLE}")
    if words[0] == SAMPLE and not (len(words) == 2 and _PERIOD.fullmatch(words[1])):
        raise ValueError(f"{text!r} says no period like 250ms, 1s, 5min, 2h or 1d; {EXAMPLE}")
    return Rule(parsed, " ".join(words))


def parse_rules(text: str) -> tuple[str, ...]:
    """The rules in a text, a line each, with line ends or semicolons between; `none` spells no rules.

    A rule behind one that covers it would never hold, and is refused.
    """
    lines = [line.strip() for line in text.replace(";", "\n").split("\n")]
    found: list[Rule] = []
    for line in lines if text.strip() != "none" else ():
        if not line or line.startswith("#"):
            continue
        rule = parse_rule(line)
        for earlier in found:
            if earlier.pattern.covers(rule.pattern):
                raise ValueError(f"{line!r} never holds: {str(earlier)!r} stands before it")
        found.append(rule)
    if len(found) > RULES_MAX:
        raise ValueError(f"{len(found)} rules are too many: at the most {RULES_MAX}")
    return tuple(map(str, found))


def format_rules(rules: Iterable[str]) -> str:
    """The text that `parse_rules` reads."""
    return ";".join(rules) or "none"


class Rules:
    """Rules in their order."""

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self.lines = tuple(map(parse_rule, lines))
        self._known: dict[str, int | None] = {}
        self.leave_out = any(rule.words == NEVER for rule in self.lines)
        """Whether something is not to be recorded."""
        self.thin = any(rule.thins for rule in self.lines)
        """Whether something that was recorded is to go."""

    def __str__(self) -> str:
        return format_rules(map(str, self.lines))

    def place_of(self, address: str) -> int | None:
        """Which line holds for an address; what has no address has no rule."""
        try:
            return self._known[address]
        except KeyError:
            pass
        found = None
        if address:
            holding = (at for at, rule in enumerate(self.lines) if rule.pattern.matches(address))
            found = next(holding, None)
        if len(self._known) >= ADDRESSES_KEPT:
            self._known.clear()
        self._known[address] = found
        return found

    def records(self, address: str) -> bool:
        """Whether entries of an address are to be recorded."""
        at = self.place_of(address)
        return at is None or self.lines[at].words != NEVER

    def before(self, at: int) -> tuple[str, ...]:
        """The patterns that a line leaves to those before it."""
        return tuple(rule.pattern.text for rule in self.lines[:at])


class Candidate(NamedTuple):
    """What has to be known of an entry to say whether it goes."""

    seq: int
    at_us: int
    kind: int
    address_id: int
    has_revision: bool


class _Kept(NamedTuple):
    """The entry of an address that stays, of those looked at last."""

    period: int
    seq: int
    needs_before: bool
    """Whether its revision is told by the change before it."""


class Sieve:
    """Looks at entries from the newest to the oldest. It remembers one entry of each address and kind."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], _Kept] = {}

    def superseding(self, entry: Candidate, rule: Rule) -> int:
        """The number of the entry for which this one goes; 0 if it stays."""
        key = entry.address_id, entry.kind
        kept = self._kept.get(key)
        if entry.kind == _EXPIRE:
            if not entry.has_revision:
                self._ask_for_change_before(entry)
            return 0
        period_us = rule.period_us
        period = 0 if period_us is None else entry.at_us // period_us
        if kept is not None and kept.period == period and not kept.needs_before:
            return kept.seq
        self._kept[key] = _Kept(period, entry.seq, entry.kind == _SET and not entry.has_revision)
        return 0

    def seen(self) -> Iterable[tuple[int, int]]:
        """The addresses, by number, and kinds of which something stays."""
        return self._kept.keys()

    def _ask_for_change_before(self, expiry: Candidate) -> None:
        key = expiry.address_id, _SET
        kept = self._kept.get(key)
        self._kept[key] = _Kept(0, expiry.seq, True) if kept is None else kept._replace(needs_before=True)
