"""The file of tokens: whole or not at all, for its owner alone, and refused where it makes no sense."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.auth.store import StoreError, changing, format_records, read
from router.auth.tokens import (
    PREFIX,
    SUBJECT_MAX_BYTES,
    TokenRecord,
    check_scopes,
    check_subject,
    hash_of,
    new_token,
)
from router.core.access import Right, Scope
from tests.journal.test_address import patterns_with_slash

NOW = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
RECORD = TokenRecord(hash_of("secret"), "desk", check_scopes(["read:/a/**"]), NOW)
GOOD = format_records([RECORD])
NOBODY = 65_534

times = st.integers(0, 10**17).map(lambda us: datetime(1970, 1, 2, tzinfo=UTC) + timedelta(microseconds=us))
subjects = st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable())
scopes = st.builds(
    lambda right, pattern, odd: f"{right}:{pattern}{odd}",
    st.sampled_from(Right),
    patterns_with_slash,
    st.sampled_from(["", '"', "\\", "\x7f", "\n", "🎚", "'''"]),
)
records = st.builds(
    TokenRecord,
    st.text("0123456789abcdef", min_size=64, max_size=64),
    subjects,
    st.lists(scopes.map(Scope.parse), min_size=1, max_size=3, unique=True).map(tuple),
    times,
    st.none() | times,
    st.none() | times,
)


@pytest.mark.property
@given(st.lists(records, max_size=3, unique_by=lambda record: record.hash))
def test_what_is_written_is_read_again(tmp_path_factory, kept):
    """Whatever stands in subjects and patterns."""
    path = tmp_path_factory.getbasetemp() / "round.toml"
    path.write_text(format_records(kept), encoding="utf-8")
    assert read(path) == kept


def test_a_file_is_made_for_its_owner_alone(tmp_path):
    """Nothing else is left in the folder."""
    path = tmp_path / "tokens.toml"
    with changing(path, make=True) as kept:
        kept.append(RECORD)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["tokens.toml"]


@pytest.mark.parametrize(("before", "after"), [(0o600, 0o600), (0o640, 0o640), (0o666, 0o644)])
def test_a_file_stays_readable_for_those_who_could_read_it(tmp_path, before, after):
    """One of them may be the router, which would not hear of what was revoked; nobody else writes."""
    path = tmp_path / "tokens.toml"
    path.write_text(GOOD)
    path.chmod(before)
    with changing(path) as kept:
        assert kept == [RECORD]
    assert stat.S_IMODE(path.stat().st_mode) == after


@pytest.mark.skipif(os.getuid() != 0, reason="only root can act for somebody else")
def test_what_root_changes_stays_with_the_user_of_the_router(tmp_path):
    """Also what root makes in a folder of that user."""
    os.chown(tmp_path, NOBODY, NOBODY)
    path = tmp_path / "tokens.toml"
    with changing(path, make=True):
        pass
    assert (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) == (NOBODY, 0o600)
    os.chown(tmp_path, 0, 0)
    with changing(path) as kept:
        kept.append(RECORD)
    assert path.stat().st_uid == NOBODY


def test_a_change_that_fails_changes_nothing(tmp_path):
    """And where there was no file there is none."""
    path = tmp_path / "tokens.toml"
    with pytest.raises(AttributeError), changing(path, make=True) as kept:
        kept.append("no record")
    assert os.listdir(tmp_path) == []
    with pytest.raises(FileNotFoundError), changing(path):
        pass


def test_changes_at_the_same_time_are_all_kept(tmp_path):
    """Each waits for the one before."""
    path = tmp_path / "tokens.toml"

    def add(number):
        with changing(path, make=True) as kept:
            kept.append(replace(RECORD, hash=hash_of(str(number))))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(24)))
    assert {record.hash for record in read(path)} == {hash_of(str(number)) for number in range(24)}


def test_a_link_stays_a_link(tmp_path):
    """What it points to is what is replaced."""
    (tmp_path / "real").mkdir()
    link = tmp_path / "tokens.toml"
    link.symlink_to(tmp_path / "real" / "tokens.toml")
    with changing(link, make=True) as kept:
        kept.append(RECORD)
    assert link.is_symlink()
    assert read(link) == [RECORD]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[[token]", "Expected"),
        ("other = 1", "something else than"),
        ("token = 1", "something else than"),
        ("token = [1]", "token 1: it is no table"),
        (GOOD.replace("created", "made"), "token 1: there is no key 'made'"),
        (GOOD.replace('subject = "desk"', ""), "token 1: subject is missing"),
        (GOOD.replace('"desk"', "7"), "token 1: subject is no text"),
        (GOOD.replace('"desk"', '""'), "token 1: '' is no subject"),
        (GOOD.replace('["read:/a/**"]', "[]"), "token 1: a token has 1 to 100 scopes"),
        (GOOD.replace('["read:/a/**"]', '"read:/a"'), "token 1: scopes is no list of texts"),
        (GOOD.replace("read:/a/**", "reed:/a/**"), "token 1: 'reed:/a/**' is no scope like"),
        (GOOD.replace("read:/a/**", "read:a"), "token 1: 'read:a' is no scope like"),
        (GOOD.replace(RECORD.hash, RECORD.hash[1:]), "token 1: hash is no SHA-256"),
        (GOOD.replace("2026-01-02T03:04:05.678901Z", '"soon"'), "token 1: created is no time"),
        (GOOD.replace("2026-01-02T03:04:05.678901Z", "0001-01-01T00:00:00+01:00"), "token 1: created is at"),
        (GOOD + GOOD, "one token stands in it twice"),
        ("\udcff", "Invalid"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(tmp_path, text, reason):
    """With the number of the token it is about."""
    path = tmp_path / "tokens.toml"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(StoreError) as refused:
        read(path)
    assert str(refused.value).startswith(f"{path} is no file of tokens: ")
    assert reason in str(refused.value)
    with pytest.raises(StoreError), changing(path):
        pass


def test_times_may_be_written_in_any_zone(tmp_path):
    """By hand; without one they are UTC."""
    path = tmp_path / "tokens.toml"
    for written, meant in (
        ("2026-01-02T03:04:05+02:00", datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))),
        ("2026-01-02 03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ):
        path.write_text(GOOD + f"expires = {written}\n")
        assert read(path)[0].expires == meant


def test_tokens_are_what_published_clients_carry():
    """The prefix and 32 hexadecimal digits, each another."""
    made = {new_token() for _ in range(100)}
    assert len(made) == 100
    assert all(token.startswith(PREFIX) for token in made)
    assert all(len(bytes.fromhex(token.removeprefix(PREFIX))) == 16 for token in made)


@pytest.mark.parametrize("subject", ["", "a\nb", "x" * (SUBJECT_MAX_BYTES + 1)])
def test_what_cannot_stand_in_entries_is_no_subject(subject):
    """Nothing empty, nothing that breaks a line, nothing without end."""
    with pytest.raises(ValueError, match="is no subject"):
        check_subject(subject)


def test_a_token_has_a_bounded_number_of_scopes():
    """Each is asked when a right is looked for; the same one twice is one."""
    assert len(check_scopes(["read:/a"] * 200)) == 1
    with pytest.raises(ValueError, match="not 101"):
        check_scopes([f"read:/{number}" for number in range(101)])
