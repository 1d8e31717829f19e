"""The mirror on a command line: what is said about it, and how the tool ends."""

import shutil

import pytest

from clasp_journal.cli.exits import Exit
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.testing.samples import a_series
from tests.journal.cli.evening import lines
from tests.journal.cli.tool import run, run_all, run_on_terminal

MIRROR, DB = "show.jsonl", "show.db"


@pytest.fixture
async def folder(tmp_path):
    """A journal of thirty entries and its mirror."""
    async with SqliteJournal(tmp_path / DB, mirror=tmp_path / MIRROR) as journal:
        for first in range(0, 30, 10):
            await journal.append(a_series(10, first=first))
    return tmp_path


def flip(path, at):
    """Change one bit."""
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


async def test_a_sound_mirror_is_called_so(folder):
    """By both verbs, with counts; a terminal gets facts."""
    chain, same = await run_all(
        folder, ("mirror", "verify", MIRROR), ("mirror", "parity", MIRROR, "--db", DB)
    )
    assert (chain.code, same.code) == (0, 0)
    [found] = lines(chain.out)
    assert (found["intact"], found["entries"], found["last_seq"], found["reason"]) == (True, 30, 30, None)
    [found] = lines(same.out)
    assert (found["consistent"], found["in_journal"], found["in_mirror"]) == (True, 30, 30)
    shown = await run_on_terminal(folder, "mirror", "verify", MIRROR)
    assert "head" in shown.out


async def test_a_broken_line_is_named(folder):
    """With its entry and reason on stdout, one line on stderr, exit code 5; nothing is rebuilt from it."""
    flip(folder / MIRROR, (folder / MIRROR).read_bytes().index(b'{"seq":12,') + 40)
    chain, back = await run_all(
        folder, ("mirror", "verify", MIRROR), ("mirror", "rebuild", MIRROR, "--db", "fresh.db", "--yes")
    )
    assert (chain.code, back.code) == (Exit.DAMAGED, Exit.DAMAGED)
    [found] = lines(chain.out)
    assert (found["first_bad_seq"], found["line"], found["file"]) == (12, 13, MIRROR)
    assert "line 13" in chain.err
    [found] = lines(back.out)
    assert (found["inserted"], found["first_bad_seq"]) == (0, 12)
    assert not (folder / "fresh.db").exists()


async def test_sides_that_differ_are_named(folder):
    """The first entry that only one of them has."""
    async with SqliteJournal(folder / DB) as journal:
        await journal.append(a_series(2))
    done = await run(folder, "mirror", "parity", MIRROR, "--db", DB, "-o", "jsonl")
    assert done.code == Exit.DAMAGED
    [found] = lines(done.out)
    assert (found["consistent"], found["first_bad_seq"]) == (False, 31)
    assert found["ranges_missing_in_mirror"] == [[31, 32]]
    assert "entry 31 is missing in the mirror" in done.err


async def test_a_journal_comes_back(folder):
    """Only with --yes; then it is the same, and once more changes nothing."""
    asked = await run(folder, "mirror", "rebuild", MIRROR, "--db", "fresh.db")
    assert asked.code == Exit.REFUSED
    assert "30 entries would be inserted" in asked.err
    assert not (folder / "fresh.db").exists()
    (folder / "fresh.db").touch()
    for inserted in (30, 0):
        done = await run(folder, "mirror", "rebuild", MIRROR, "--db", "fresh.db", "--yes")
        assert done.code == 0, done.err
        [found] = lines(done.out)
        assert (found["inserted"], found["consistent"], found["has_base"]) == (inserted, True, True)
    asked = await run(folder, "mirror", "rebuild", MIRROR, "--db", "fresh.db")
    assert "0 entries would be inserted" in asked.err


async def test_entries_that_differ_keep_everything_as_it_is(folder):
    """The first of them is told, with both digests."""
    shutil.copy(folder / DB, folder / "other.db")
    async with SqliteJournal(folder / DB, mirror=folder / MIRROR) as journal:
        await journal.append(a_series(5, first=30))
    async with SqliteJournal(folder / "other.db") as journal:
        await journal.append(a_series(5, "/b"))
    done = await run(folder, "mirror", "rebuild", MIRROR, "--db", "other.db", "--yes")
    assert done.code == Exit.DAMAGED
    [found] = lines(done.out)
    assert (found["inserted"], found["first_bad_seq"]) == (0, 31)
    assert found["in_journal"] != found["in_mirror"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("verify", "nothing.jsonl"), Exit.UNREACHABLE),
        (("parity", MIRROR, "--key", "x"), Exit.USAGE),
        (("dance", MIRROR), Exit.USAGE),
        (("verify",), Exit.USAGE),
        (("rebuild", MIRROR, "--url", "ws://127.0.0.1:1"), Exit.USAGE),
    ],
)
async def test_what_cannot_be_done_is_said(folder, arguments, code):
    """In one line, with the number that scripts rely on."""
    done = await run(folder, "mirror", *arguments)
    assert done.code == code
    assert "Traceback" not in done.err
