"""What stands behind a `**`: the same answers as each pattern gives, however many there are."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.address import Pattern
from router.core.session import Session
from router.core.subscriptions import Subscription, Subscriptions
from router.core.tails import BLOCK_BITS, Tails, canonical
from router.wire.messages import Subscribe

pieces = st.sampled_from(["**", "**", "*", "a", "b", "ab", "a*", "*b", "***", ""])
words = st.sampled_from(["a", "b", "ab", "axb", ""])


def pattern_of(segments):
    """Only the last segment of a pattern may be empty."""
    *others, last = segments
    return Pattern.parse("/" + "/".join([*(segment or "a" for segment in others), last]))


def address_of(segments):
    """And so with addresses."""
    return pattern_of(segments).text


patterns = st.lists(pieces, min_size=1, max_size=8).map(pattern_of)
addresses = st.lists(words, min_size=1, max_size=8).map(address_of)


@pytest.mark.property
@given(patterns, addresses)
def test_a_canonical_pattern_matches_the_same(pattern, address):
    """Whatever the order of its wildcards was."""
    segments = canonical(pattern.segments)
    assert Pattern.parse("/" + "/".join(segments)).matches(address) == pattern.matches(address)
    assert ("**", "**") not in itertools.pairwise(segments)
    assert canonical(segments) == segments


@pytest.mark.property
@given(st.lists(patterns, max_size=12), st.sets(st.integers(0, 11)), st.lists(addresses, max_size=4))
def test_tails_answer_as_each_pattern_would(drawn, dropped, asked):
    """Also when some are taken out again."""
    tails = Tails()
    filed = dict.fromkeys(canonical(pattern.segments) for pattern in drawn)
    filed = [tail for tail in filed if tail[0] == "**" and len(tail) > 1]
    for tail in filed:
        tails.add(tail)
    for number in sorted(dropped, reverse=True):
        if number < len(filed):
            tails.remove(filed.pop(number))
    for address in asked:
        expected = [tail for tail in filed if Pattern.parse("/" + "/".join(tail)).matches(address)]
        assert sorted(tails.matching(address[1:].split("/"))) == sorted(expected)
    assert bool(tails) == bool(filed)


def test_many_blocks_stay_as_many_as_are_needed():
    """Tails that go leave room, and what stays is found; nothing is left at the end."""
    chance = random.Random(5)
    words = [f"s{number}" for number in range(40)]
    filed = {("**", *chance.sample(words, 6)) for _ in range(600)}
    tails = Tails()
    for tail in filed:
        tails.add(tail)
    for tail in sorted(filed)[:590]:
        tails.remove(tail)
        filed.discard(tail)
    assert len(tails._blocks) < 600 * 8 // BLOCK_BITS
    for tail in filed:
        assert list(tails.matching(tail[1:])) == [tail]
    for tail in filed:
        tails.remove(tail)
    assert not tails
    assert not tails._blocks


def test_patterns_of_wildcards_alone_cost_one_another_nothing():
    """A thousand different rows of them are a few: the trie has as many places as there are lengths."""
    chance = random.Random(7)
    subscriptions, session = Subscriptions(), Session(1, "s", None)
    for number in range(1_000):
        text = "/" + "/".join(chance.choice(("*", "**")) for _ in range(32))
        subscriptions.add(Subscription(session, Subscribe(number, text), Pattern.parse(text)))
    node, places = subscriptions._root, 0
    while node is not None:
        places += 1
        assert not node._tails
        node = node.one
    assert places <= 33
    assert sum(1 for _ in subscriptions.matching("/" + "/".join("a" * 32))) == 1_000
