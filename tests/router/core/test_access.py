"""What scopes open, against trying every short address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.address import Pattern
from clasp_journal.selection import EVERYTHING
from router.core.access import CLOSED, OPEN, Access, Right, Scope
from router.core.refusal import Refusal
from router.wire.codes import ErrorCode
from tests.journal.test_address import SHORT_ADDRESSES, ladders, short_patterns
from tests.router.core.gatekeeper import scopes

OPENS = {
    "read": {"read"},
    "write": {"read", "write"},
    "history": {"history"},
    "admin": {"read", "write", "history", "admin"},
}
"""By the right in a scope: the rights that it gives."""

patterns = short_patterns | ladders
scope_sets = st.lists(st.tuples(st.sampled_from(Right), patterns), max_size=4)


def opened(held, right):
    """The short addresses that some scopes open."""
    wide = [Pattern.parse(text) for given, text in held if right in OPENS[given]]
    return {address for address in SHORT_ADDRESSES if any(p.matches(address) for p in wide)}


@pytest.mark.property
@given(scope_sets, st.sampled_from(Right), patterns)
def test_what_is_open_is_what_trying_every_address_says(held, right, pattern):
    """One address or all that a pattern matches; admin implies the rest, write implies read."""
    access = Access("who", [Scope(given, Pattern.parse(text)) for given, text in held])
    inside = opened(held, right)
    asked = Pattern.parse(pattern)
    matched = [address for address in SHORT_ADDRESSES if asked.matches(address)]
    assert access.may_all(right, asked) == inside.issuperset(matched)
    assert {address for address in matched if access.may(right, address)} == inside.intersection(matched)
    assert access.may_some(right) == any(right in OPENS[given] for given, _ in held)


@pytest.mark.parametrize("right", Right)
def test_each_right_gives_what_the_table_says(right):
    """And nothing about other addresses."""
    access = Access("who", scopes(f"{right}:/a/**"))
    assert {other for other in Right if access.may(other, "/a/b")} == OPENS[right]
    assert not any(access.may(other, "/b") for other in Right)


@pytest.mark.parametrize(
    ("held", "asked", "is_open"),
    [
        ("read:/a/*", "/a/**", False),
        ("read:/a/**", "/a/*", True),
        ("read:/a/**", "/a", True),
        ("read:/a/x read:/a/y", "/a/*", False),
        ("read:/a read:/a/*/**", "/a/**", True),
        ("read:/zone* write:/a", "/zone5*", True),
        ("write:/a/** read:/b", "/a/**", True),
        ("history:/**", "/a", False),
    ],
)
def test_containment_is_exact(held, asked, is_open):
    """Not by the text: by the addresses, of all scopes together."""
    access = Access("who", scopes(held))
    assert access.may_all(Right.READ, Pattern.parse(asked)) == is_open


@pytest.mark.parametrize("text", ["", "read", "red:/a", "READ:/a", "read:a", "read:/a//b", "read /a", ":/a"])
def test_what_is_no_scope_is_refused_with_an_example(text):
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="is no scope like"):
        Scope.parse(text)
    assert str(Scope.parse("read:/a/**")) == "read:/a/**"


def test_a_refusal_carries_301_and_what_it_is_about():
    """For an address and for a pattern."""
    access = Access("who", scopes("read:/a"))
    for demand in (
        lambda: access.demand(Right.READ, "/b"),
        lambda: access.demand_all(Right.READ, Pattern.parse("/b")),
        lambda: access.demand_write("/b"),
    ):
        with pytest.raises(Refusal) as refused:
            demand()
        assert (refused.value.code, refused.value.about) == (ErrorCode.FORBIDDEN, "/b")


def test_rights_end_at_once_and_for_everything():
    """What was remembered goes too, and each change has a number of its own."""
    access = Access("who", scopes("write:/a"))
    access.demand_write("/a")
    assert access.writable == {b"/a"}
    before = access.generation
    access.end(ErrorCode.TOKEN_EXPIRED)
    assert access.generation > before
    assert access.ended is ErrorCode.TOKEN_EXPIRED
    assert not access.writable
    assert not any(access.may_some(right) for right in Right)
    access.grant("who", scopes("write:/b"))
    assert access.ended is None


def test_what_is_remembered_is_bounded(monkeypatch):
    """It is forgotten as a whole, and found out anew."""
    monkeypatch.setattr("router.core.access._REMEMBERED_MAX", 3)
    access = Access("who", scopes("write:/a/*"))
    for number in range(10):
        access.demand_write(f"/a/{number}")
        assert f"/a/{number}".encode() in access.writable
        assert len(access.writable) <= 3


def test_without_tokens_everything_is_open_and_before_hello_nothing_is():
    """Two rights that every router has."""
    assert all(OPEN.may_all(right, EVERYTHING) for right in Right)
    assert OPEN.subject is None
    assert OPEN.writes_all
    assert not any(CLOSED.may_some(right) for right in Right)
