"""Rules: how they are spelled, which one holds, and what a sieve lets go, against brute force."""

from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.address import Pattern
from clasp_journal.entry import EntryKind
from clasp_journal.rules import (
    RULES_MAX,
    Candidate,
    Rule,
    Rules,
    Sieve,
    format_rules,
    parse_rule,
    parse_rules,
)

pytestmark = pytest.mark.property

SET, PUBLISH, EXPIRE = int(EntryKind.SET), int(EntryKind.PUBLISH), int(EntryKind.EXPIRE)
PATTERNS = ("/a", "/a/*", "/a/**", "/b/zone*", "/**/x", "/meters/**")
WORDS = ("keep", "never", "last-only", "sample 250ms", "sample 1s", "sample 5min", "sample 2h", "sample 1d")

lines = st.builds("{} {}".format, st.sampled_from(PATTERNS), st.sampled_from(WORDS))


@given(st.lists(lines, max_size=8), st.sampled_from((";", "\n", " ; ", "\n\n  ")))
def test_rules_are_read_back_as_they_are_written(written: list[str], between: str) -> None:
    """In their order, whatever stands between them; one that could never hold is refused."""
    patterns = [Pattern.parse(line.split()[0]) for line in written]
    if any(earlier.covers(later) for earlier, later in combinations(patterns, 2)):
        with pytest.raises(ValueError, match="never holds"):
            parse_rules(between.join(written))
        return
    rules = parse_rules(between.join(written) or "none")
    assert list(rules) == written
    assert parse_rules(format_rules(rules)) == rules


@given(st.lists(lines, max_size=6), st.sampled_from(("/a", "/a/x", "/b/zone5", "/meters/1/x", "/c", "")))
def test_the_first_line_that_matches_holds(written: list[str], address: str) -> None:
    """Asked again, the same; without one, and without an address, everything is kept."""
    rules = Rules(written)
    for _ in range(2):
        at = rules.place_of(address)
        matching = [n for n, rule in enumerate(rules.lines) if address and rule.pattern.matches(address)]
        assert at == (matching[0] if matching else None)
        assert rules.records(address) == (at is None or rules.lines[at].words != "never")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/a", "says no rule"),
        ("/a forget", "says no rule"),
        ("/a keep it", "says no rule"),
        ("/a sample", "says no period like 250ms"),
        ("/a sample 0s", "says no period"),
        ("/a sample 1.5s", "says no period"),
        ("/a sample 1 s", "says no period"),
        ("/a sample 9999999999d", "says no period"),
        ("a keep", "must start with '/'"),
        ("never", "must start with '/'"),
        ("/a//b never", "empty segment"),
        ("/** never; /a keep", "'/a keep' never holds: '/** never' stands before it"),
        (";".join(f"/{n} keep" for n in range(RULES_MAX + 1)), "too many"),
    ],
)
def test_what_is_no_rule_is_refused_with_words(text: str, words: str) -> None:
    """And, where it is the spelling, with an example."""
    with pytest.raises(ValueError, match=r"a rule is like|never holds|too many") as refused:
        parse_rules(text)
    assert words in str(refused.value)


@given(st.text(alphabet="/*a sample1mn;-lstokepv.\n#", max_size=30))
def test_any_text_is_rules_or_is_refused(text: str) -> None:
    """With a ValueError, never otherwise."""
    try:
        rules = parse_rules(text)
    except ValueError:
        return
    assert all(isinstance(parse_rule(rule).pattern, Pattern) for rule in rules)


def judged(entries: Sequence[Candidate], rule: Rule) -> dict[int, int]:
    """What goes, and for which entry."""
    sieve = Sieve()
    told = ((entry.seq, sieve.superseding(entry, rule)) for entry in reversed(entries))
    return {seq: superseding for seq, superseding in told if superseding}


@st.composite
def series(draw: st.DrawFn, *, regular: bool) -> list[Candidate]:
    """What happens at a few addresses in a few seconds."""
    at_us, told = 0, []
    for seq in range(1, draw(st.integers(0, 40)) + 1):
        at_us += draw(st.integers(0, 900_000))
        kind = draw(st.sampled_from((SET, SET, SET, PUBLISH, EXPIRE)))
        told.append(Candidate(seq, at_us, kind, draw(st.integers(1, 3)), regular or draw(st.booleans())))
    return told


@given(series(regular=True), st.sampled_from(("sample 250ms", "sample 1s", "sample 5s", "last-only")))
def test_of_each_address_the_last_in_each_period_stays(entries: list[Candidate], words: str) -> None:
    """Brute force: who has a later one of the same address, kind and period goes."""
    rule = parse_rule(f"/a {words}")
    period_us = rule.period_us or 1 << 60

    def supersedes(later: Candidate, entry: Candidate) -> bool:
        return (
            later.seq > entry.seq
            and (later.kind, later.address_id) == (entry.kind, entry.address_id)
            and later.at_us // period_us == entry.at_us // period_us
        )

    gone = {e.seq for e in entries if e.kind != EXPIRE and any(supersedes(later, e) for later in entries)}
    assert judged(entries, rule).keys() == gone


@given(series(regular=False), st.sampled_from(("sample 1s", "last-only")))
def test_what_a_sieve_lets_go_changes_no_state(entries: list[Candidate], words: str) -> None:
    """Revisions that were not written are counted from the change before: those it needs stay."""

    def state(left: Sequence[Candidate]) -> dict[int, tuple[int, int, int]]:
        known: dict[int, tuple[int, int, int]] = {}
        for entry in left:
            if entry.kind != PUBLISH:
                last = known.get(entry.address_id, (0, 0, 0))[2]
                revision = entry.seq if entry.has_revision else last + (entry.kind == SET)
                known[entry.address_id] = entry.seq, entry.kind, revision
        return known

    gone = judged(entries, parse_rule(f"/a {words}"))
    left = [entry for entry in entries if entry.seq not in gone]
    assert state(left) == state(entries)
    assert all(superseding not in gone for superseding in gone.values())
