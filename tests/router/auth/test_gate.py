"""Who is let in, who is not, and how the gate follows its file."""

import logging
import time

import pytest

from clasp_journal.address import Pattern
from router.auth.gate import TokenGate
from router.auth.guesses import Guesses
from router.auth.store import StoreError
from router.core.access import Right
from router.core.limits import SECOND_US, Limits
from router.core.refusal import Refusal
from router.wire.codes import ErrorCode

HOST = "192.0.2.1"
MINUTE_US = 60 * SECOND_US
HALF = "[[token]]"
"""Where a file is cut that has all tokens but the last."""


@pytest.fixture
def now():
    """The wall time, as the router counts it."""
    return time.time_ns() // 1_000


def refused(gate, token, now, host=HOST):
    """The code with which a token is refused."""
    with pytest.raises(Refusal) as refusal:
        gate.admit(token, host, now)
    assert len(token) < 3 or token not in str(refusal.value)
    return refusal.value.code


def test_a_token_gives_what_stands_in_the_file(keys, now):
    """Whoever comes with it, from wherever; any text is one."""
    made = keys.make("desk", "read:/a/**", "write:/a/b")
    opaque = keys.make("wall", "read:/b", token="wörds with spaces")
    gate = TokenGate(keys.path, Limits())
    access = gate.admit(made, HOST, now)
    assert access.subject == "desk"
    assert access.may_all(Right.READ, Pattern.parse("/a/**"))
    assert not access.may(Right.WRITE, "/a/c")
    assert gate.admit(made, "other", now) is access
    assert gate.admit(opaque, HOST, now).subject == "wall"


def test_each_way_to_have_no_valid_token_has_its_code(keys, now):
    """Missing, unknown, revoked: 300; expired: 302."""
    keys.make("gone", "read:/a", token="gone")
    keys.revoke("gone")
    keys.make("late", "read:/a", token="late", lasts_s=1)
    gate = TokenGate(keys.path, Limits())
    assert refused(gate, "", now) == refused(gate, "cpsk_x", now) == refused(gate, "gone", now) == 300
    assert gate.admit("late", HOST, now)
    assert refused(gate, "late", now + 2 * SECOND_US) == ErrorCode.TOKEN_EXPIRED


def test_only_the_whole_token_is_the_token(keys, now):
    """Not its beginning, not its hash, not with something behind it."""
    made = keys.make("desk", "read:/a")
    gate = TokenGate(keys.path, Limits())
    (digest,) = gate._by_hash
    for wrong in (made[:-1], made + " ", made.upper(), digest, f"sha256:{digest}"):
        assert refused(gate, wrong, now) == ErrorCode.UNAUTHORIZED


def test_the_file_is_followed(keys, now):
    """What is new comes in; what is revoked, removed or narrowed changes for those who are in."""
    keys.make("a", "read:/**", token="a")
    keys.make("b", "read:/**", token="b")
    keys.make("c", "read:/**", token="c")
    gate = TokenGate(keys.path, Limits())
    a, b, c = (gate.admit(token, HOST, now) for token in "abc")
    gate.look()
    assert not gate.settle(now)
    keys.make("d", "read:/**", token="d")
    keys.revoke("a")
    keys.remove("b")
    keys.rescope("c", "read:/c")
    gate.look()
    assert a.ended is None
    assert gate.settle(now)
    assert a.ended == b.ended == ErrorCode.UNAUTHORIZED
    assert c.ended is None
    assert c.may(Right.READ, "/c")
    assert not c.may(Right.READ, "/d")
    assert gate.admit("d", HOST, now).subject == "d"
    assert not gate.settle(now)


def test_what_expires_ends_for_those_who_are_in(keys, now):
    """Once; a longer life in the file gives the rights back."""
    keys.make("a", "read:/a", token="a", lasts_s=1)
    gate = TokenGate(keys.path, Limits())
    access = gate.admit("a", HOST, now)
    assert not gate.settle(now)
    assert gate.settle(now + 2 * SECOND_US)
    assert access.ended is ErrorCode.TOKEN_EXPIRED
    assert not gate.settle(now + 2 * SECOND_US)
    keys.remove("a")
    keys.make("a", "read:/a", token="a", lasts_s=100)
    gate.look()
    assert gate.settle(now + 2 * SECOND_US)
    assert access.ended is None
    assert gate.admit("a", HOST, now + 2 * SECOND_US) is access


def test_a_file_that_cannot_be_read_changes_nothing_and_is_told_once(keys, now, caplog):
    """Half written by hand, gone, or mended."""
    keys.make("a", "read:/a", token="a")
    gate = TokenGate(keys.path, Limits())
    good = keys.path.read_text()
    for bad in ("[[token", None):
        keys.path.unlink()
        if bad is not None:
            keys.path.write_text(bad)
        for _ in range(3):
            gate.look()
            assert not gate.settle(now)
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
    assert gate.admit("a", HOST, now).ended is None
    keys.path.write_text(good.replace("read:/a", "read:/b"))
    gate.look()
    assert gate.settle(now)
    assert gate.admit("a", HOST, now).may(Right.READ, "/b")


@pytest.mark.parametrize("half", ["", HALF])
def test_a_file_that_is_just_being_written_changes_nothing_until_it_is_whole(keys, now, monkeypatch, half):
    """Whoever is in stays in, though it was empty for a moment, or had a part of the tokens."""
    keys.make("a", "read:/a", token="a")
    keys.make("b", "read:/b", token="b")
    gate = TokenGate(keys.path, Limits())
    b = gate.admit("b", HOST, now)
    whole = keys.path.read_text()
    keys.path.write_text(half and whole[: whole.rindex(half)])
    monkeypatch.setattr("router.auth.gate.time.sleep", lambda _: keys.path.write_text(f"{whole}# whole"))
    gate.look()
    assert not gate.settle(now)
    monkeypatch.undo()
    gate.look()
    assert not gate.settle(now)
    assert b.ended is None


def test_without_a_file_there_is_no_gate(tmp_path):
    """Nor with one that is something else."""
    with pytest.raises(FileNotFoundError):
        TokenGate(tmp_path / "none.toml", Limits())
    (tmp_path / "other.toml").write_text("listen = 1")
    with pytest.raises(StoreError):
        TokenGate(tmp_path / "other.toml", Limits())


def test_a_file_that_others_may_write_is_warned_of(keys, caplog):
    """They could make themselves tokens."""
    TokenGate(keys.path, Limits())
    assert caplog.records == []
    keys.path.chmod(0o620)
    TokenGate(keys.path, Limits())
    assert "chmod 600" in caplog.text


def test_wrong_tokens_are_limited_by_address(keys, now):
    """Then nobody from there is heard, right or wrong, until the minute is over; others are."""
    keys.make("a", "read:/a", token="a")
    gate = TokenGate(keys.path, Limits(wrong_tokens_per_minute=3))
    assert [refused(gate, f"wrong {number}", now) for number in range(5)] == [300, 300, 300, 429, 429]
    assert refused(gate, "a", now) == refused(gate, "", now) == 429
    assert gate.admit("a", "192.0.2.2", now)
    assert refused(gate, "a", now + MINUTE_US - 1) == 429
    assert gate.admit("a", HOST, now + MINUTE_US)


def test_a_wrong_token_that_comes_again_and_again_is_one_guess(keys, now):
    """A client that was told a wrong one, and does not give up, shuts out nobody."""
    keys.make("a", "read:/a", token="a")
    gate = TokenGate(keys.path, Limits(wrong_tokens_per_minute=2))
    assert [refused(gate, "guess", now) for _ in range(5)] == [300] * 5
    assert gate.admit("a", HOST, now)
    assert [refused(gate, wrong, now) for wrong in ("another", "guess", "a")] == [300, 429, 429]


def test_neither_a_missing_nor_an_old_token_is_a_guess(keys, now):
    """A client that comes back with what was valid once does not shut out its neighbours."""
    keys.make("a", "read:/a", token="a")
    keys.revoke("a")
    keys.make("b", "read:/a", token="b", lasts_s=1)
    gate = TokenGate(keys.path, Limits(wrong_tokens_per_minute=1))
    for token in ("", "a", "b") * 3:
        assert refused(gate, token, now + 2 * SECOND_US) != 429


def test_the_addresses_that_are_counted_are_bounded():
    """The one that was quiet the longest makes room."""
    guesses = Guesses(Limits(wrong_tokens_per_minute=1, wrong_token_addresses=3))
    for host in ("a", "b", "c", "a", "d"):
        guesses.note(host, "wrong", 0)
    assert [guesses.is_over(host, 0) for host in "abcd"] == [True, False, True, True]


def test_a_house_of_ipv6_counts_as_one():
    """It has more addresses than anybody could count."""
    guesses = Guesses(Limits(wrong_tokens_per_minute=2))
    guesses.note("[2001:db8::1]", "one", 0)
    guesses.note("[2001:db8::2]", "other", 0)
    assert guesses.is_over("[2001:db8::3]", 0)
    assert not guesses.is_over("[2001:db8:0:1::1]", 0)
