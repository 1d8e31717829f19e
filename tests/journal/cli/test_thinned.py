"""What the tool shows of a file that rules have thinned: what stayed, and that there was more."""

import shutil

import pytest

from clasp_journal.cli.exits import Exit
from clasp_journal.rules import Rules
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.thinned import told_by
from tests.journal.cli.evening import FILE, lines
from tests.journal.cli.tool import run_all

HERE = ("-q", "--db", FILE)
LATER_US = 1 << 60
WORDS = "entries of /lights/** between "


@pytest.fixture
async def evening(recorded, tmp_path):
    """A copy of the evening, of whose lights only the last stayed."""
    shutil.copy(recorded / FILE, tmp_path / FILE)
    async with SqliteJournal(tmp_path / FILE) as journal:
        assert await journal.thin(Rules(["/lights/** last-only"]), before_us=LATER_US)
    return tmp_path


async def test_the_past_of_what_was_thinned_is_told_to_be_incomplete(evening):
    """By exit code and words, at every verb that tells of it; the present and other addresses are whole."""
    async with SqliteJournal(evening / FILE, read_only=True) as journal:
        (act,) = [act for entry in await journal.query(limit=10_000) if (act := told_by(entry))]
    at = f"seq:{act.last_seq - 1}"
    address = "/lights/1/level"
    told = await run_all(
        evening,
        ("query", "/lights/**", "-S", "seq:1", *HERE),
        ("around", at, "/lights/**", "--span", "10h", *HERE),
        ("history", address, "-S", "seq:1", *HERE),
        ("state", "/lights/**", "--at", at, *HERE),
        ("get", address, "--at", at, *HERE),
        ("diff", at, "now", *HERE),
    )
    for result in told:
        assert result.code == Exit.INCOMPLETE, result
        assert WORDS in result.err
        assert "were thinned: last-only" in result.err
    whole = await run_all(
        evening,
        ("query", "/meters/**", "-S", "seq:1", *HERE),
        ("state", "/meters/**", "--at", at, *HERE),
        ("state", *HERE),
        ("diff", at, "now", "/meters/**", *HERE),
    )
    assert [result.code for result in whole] == [0] * 4, whole


async def test_blanks_are_shown_to_who_asks_for_them(evening):
    """By their kind, or by asking for everything; as many as are asked for are shown of the others."""
    shown, blanks, counted, verified = await run_all(
        evening,
        ("query", "/lights/**", "-n", "3", *HERE),
        ("query", "/lights/**", "--op", "removed", "-n", "all", *HERE),
        ("top", "/lights/**", *HERE),
        ("verify", "--full", *HERE),
    )
    assert len(lines(shown.out)) == 3
    assert {record["op"] for record in lines(shown.out)} <= {"set", "publish", "expire"}
    thinned = lines(verified.out)[0]["thinned"]
    assert len(lines(blanks.out)) == thinned > 0
    assert all("value" not in record for record in lines(blanks.out))
    assert {record["address"]: record["count"] for record in lines(counted.out)} == {
        "/lights/1/level": 1,
        "/lights/2/level": 1,
    }
