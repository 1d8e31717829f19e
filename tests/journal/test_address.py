"""The grammar of addresses, and what a pattern matches and covers, against definitions too slow to use."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.address import SIZE_MAX_BYTES, Pattern, cover, parse_address
from clasp_journal.errors import AddressError, PatternError

LITERALS = ("a", "b", "ab")
WILDCARDS = ("*", "**", "a*", "*b", "a*b", "*a*", "***", "a**")
WORDS = ("a", "b", "ab", "x", "ax", "xb", "axb", "xax")
"""Segments that tell apart all patterns made of the ones above; `x` is the letter that no pattern has."""

GRAMMAR_FAULTS = ("", "a", "a/b", "//", "//a", "/a//b", "/a//", "/\ud800", "/" + "a" * SIZE_MAX_BYTES)


def addresses_of(segments_max: int) -> list[str]:
    """Every address of so many segments; the last one may be empty."""
    found = []
    for count in range(segments_max):
        for path in itertools.product(WORDS, repeat=count):
            found += ["/" + "/".join((*path, last)) for last in (*WORDS, "")]
    return found


SHORTEST_ADDRESSES = addresses_of(2)
SHORT_ADDRESSES = addresses_of(4)
"""One segment longer than the patterns whose coverage is looked for."""

segments = st.sampled_from(LITERALS + WILDCARDS)
patterns = st.lists(segments, min_size=1, max_size=3).map(lambda path: "/" + "/".join(path))
ends = st.sampled_from(("", "/"))
patterns_with_slash = st.tuples(patterns, ends).map("".join)
short_patterns = st.tuples(st.lists(segments, min_size=1, max_size=2), ends).map(
    lambda drawn: "/" + "/".join(drawn[0]) + drawn[1]
)
ladders = st.lists(st.sampled_from(("*", "**", "a")), max_size=3).map(lambda path: "/" + "/".join(path))
"""Patterns that often need each other: this many segments, that many, and everything longer."""


def fits(piece: str, segment: str) -> bool:
    """By the book: a `*` inside a segment is zero or more characters."""
    if not piece:
        return not segment
    if piece[0] == "*":
        return fits(piece[1:], segment) or (segment != "" and fits(piece, segment[1:]))
    return segment[:1] == piece[0] and fits(piece[1:], segment[1:])


def matches(pattern: list[str], address: list[str]) -> bool:
    """By the book: `**` is zero or more segments, everything else is one."""
    if not pattern:
        return not address
    if pattern[0] == "**":
        return matches(pattern[1:], address) or (address != [] and matches(pattern, address[1:]))
    return address != [] and fits(pattern[0], address[0]) and matches(pattern[1:], address[1:])


@pytest.mark.property
@given(patterns_with_slash, st.sampled_from(SHORT_ADDRESSES))
def test_matching_is_what_the_definition_says(pattern, address):
    """The walk over all readings at once finds what trying each of them finds."""
    expected = matches(pattern[1:].split("/"), address[1:].split("/"))
    assert Pattern.parse(pattern).matches(address) == expected


@pytest.mark.property
@given(short_patterns, short_patterns)
def test_covering_means_matching_all_that_the_other_matches(wide, narrow):
    """The answer without looking at addresses is the answer from looking at all short ones."""
    one, other = Pattern.parse(wide), Pattern.parse(narrow)
    counterexample = next((a for a in SHORT_ADDRESSES if other.matches(a) and not one.matches(a)), None)
    assert one.covers(other) == (counterexample is None), counterexample


@pytest.mark.property
@given(st.lists(short_patterns | ladders, max_size=4), short_patterns | ladders)
def test_patterns_cover_together_what_none_of_them_covers_alone(wide, narrow):
    """Again the answer from looking at all short addresses, now with several patterns to match them."""
    several, other = [Pattern.parse(text) for text in wide], Pattern.parse(narrow)
    matched = [address for address in SHORT_ADDRESSES if other.matches(address)]
    left = next((a for a in matched if not any(one.matches(a) for one in several)), None)
    assert cover(several, other) == (left is None), left


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        (("/", "/*/**"), "/**"),
        (("/a", "/a/*/**"), "/a/**"),
        (("/a", "/a/*", "/a/*/*", "/a/*/*/*/**"), "/a/**"),
        (("/a/**/b", "/a/x/**"), "/a/x/**/b"),
    ],
)
def test_what_is_covered_by_several_needs_all_of_them(wide, narrow):
    """Take away any one, and it is not covered any more, unless that one was not needed."""
    several, other = [Pattern.parse(text) for text in wide], Pattern.parse(narrow)
    assert cover(several, other)
    for one in several:
        rest = [p for p in several if p is not one]
        assert cover(rest, other) == any(p.covers(other) for p in rest)


@pytest.mark.property
@given(patterns_with_slash)
def test_a_pattern_covers_itself_and_everything_covers_it(text):
    """Covering is reflexive, and `/**` is the widest pattern there is."""
    pattern = Pattern.parse(text)
    assert pattern.covers(pattern)
    assert Pattern.parse("/**").covers(pattern)


@pytest.mark.property
@given(patterns_with_slash)
def test_every_match_starts_with_the_prefix(text):
    """A search may begin at the prefix without missing anything."""
    pattern = Pattern.parse(text)
    assert all(a.startswith(pattern.prefix) for a in SHORTEST_ADDRESSES if pattern.matches(a))


@pytest.mark.property
@given(st.text(alphabet="/ab*", max_size=8))
def test_addresses_and_patterns_have_one_grammar(text):
    """What is refused as the one is refused as the other, each with its own code."""
    well_formed = text.startswith("/") and "" not in text[1:].split("/")[:-1]
    if well_formed:
        assert parse_address(text) == Pattern.parse(text).text == text
    else:
        with pytest.raises(AddressError):
            parse_address(text)
        with pytest.raises(PatternError):
            Pattern.parse(text)


@pytest.mark.parametrize("text", GRAMMAR_FAULTS)
def test_each_fault_of_the_grammar_has_its_code(text):
    """200 for an address, 202 for a pattern."""
    with pytest.raises(AddressError) as refused:
        parse_address(text)
    assert refused.value.code == 200
    with pytest.raises(PatternError) as refused_pattern:
        Pattern.parse(text)
    assert refused_pattern.value.code == 202


@pytest.mark.parametrize("text", ["/", "/a/", "/a b/c.d", "/日本/🎚", "/a/*", "/".ljust(SIZE_MAX_BYTES, "a")])
def test_whatever_else_is_an_address(text):
    """Spaces, dots, stars, other scripts: only slashes have a meaning."""
    assert parse_address(text) == text


@pytest.mark.parametrize("letters", ["?", "[ab]", "{a,b}", "!a", "\\*a"])
def test_other_signs_of_other_globs_are_letters(letters):
    """A pattern with them matches its own text."""
    assert Pattern.parse(f"/{letters}").matches(f"/{letters}")
    assert not Pattern.parse("/?").matches("/a")
    assert not Pattern.parse("/[ab]").matches("/a")


class CountingPattern(Pattern):
    """A pattern that counts how often it takes a segment."""

    steps = 0

    def _step(self, states: int, segment: str) -> int:
        self.steps += 1
        return super()._step(states, segment)


@pytest.mark.parametrize("segment", ["**", "*", "a*", "a"])
def test_a_segment_is_looked_at_once_whatever_the_pattern(segment):
    """No pattern makes the matcher go back: one step for each segment of the address."""
    pattern = CountingPattern.parse("/" + "/".join(["**", segment] * 60 + ["z"]))
    address = "/" + "/".join(["a"] * 200)
    assert not pattern.matches(address)
    assert pattern.steps <= 200


def test_a_pattern_is_a_value():
    """Two patterns with one text are one key."""
    one, other = Pattern.parse("/a/**"), Pattern.parse("/a/**")
    assert {one: 1}[other] == 1
    assert one != Pattern.parse("/a/*")
    assert Pattern.parse("/a/b").is_literal
    assert not one.is_literal
    assert one.segments == ("a", "**")
    assert repr(one) == "Pattern('/a/**')"


def test_a_hostile_pair_of_patterns_ends():
    """Where covering would take too many states the answer is no, not a hang."""
    path = "/".join(["**", "a*", "*"] * 40)
    assert Pattern.parse(f"/{path}/z").covers(Pattern.parse(f"/{path}")) is False
