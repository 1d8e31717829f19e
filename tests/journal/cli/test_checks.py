"""verify, upgrade and doctor: what is well, what is not, and what is said about it."""

import shutil
import sqlite3

import pytest

from clasp_journal.cli.exits import Exit
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.examination import file_system, sqlite_version
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.testing.samples import a_series
from tests.journal.cli.evening import FILE, lines
from tests.journal.cli.tool import run, run_all, run_on_terminal

HERE = ("-q", "--db", FILE)


@pytest.fixture
def evening(recorded, tmp_path):
    """A copy of the evening that may be damaged."""
    shutil.copy(recorded / FILE, tmp_path / FILE)
    return tmp_path


def damage(path, statement):
    """Change a file as no journal would."""
    with sqlite3.connect(path) as db:
        db.execute(statement)
    db.close()


async def test_a_sound_file_is_called_sound(recorded):
    """The short way and the whole way; on a terminal it is a list of facts."""
    short, full = await run_all(recorded, ("verify", *HERE), ("verify", "--full", *HERE))
    assert (short.code, full.code) == (0, 0)
    assert lines(full.out) == [
        {
            "intact": True,
            "entries": 96,
            "from_seq": 1,
            "snapshots": 0,
            "forgotten": 0,
            "thinned": 0,
            "first_bad_seq": None,
            "problems": [],
        }
    ]
    shown = await run_on_terminal(recorded, "verify", *HERE)
    assert "intact" in shown.out


@pytest.mark.parametrize(
    ("statement", "first", "word"),
    [
        ("UPDATE entry SET value = 0.123 WHERE seq = 40", 40, "40"),
        ("DELETE FROM entry WHERE seq = 50", 50, "50"),
        ("UPDATE entry SET timestamp = timestamp + 1 WHERE seq IN (30, 60)", 30, "30"),
        ("UPDATE address SET text = '/other' WHERE text = '/lights/1/level'", None, "damaged"),
        ("UPDATE snapshot_param SET value = 9 WHERE position = 0", None, "snapshot"),
    ],
)
async def test_the_first_damaged_entry_is_named(evening, statement, first, word):
    """Exit code 5, whichever way it is looked for."""
    assert (await run(evening, "snapshot", "create", *HERE)).code == 0
    damage(evening / FILE, statement)
    short, full = await run_all(evening, ("verify", *HERE), ("verify", "--full", *HERE))
    assert (short.code, full.code) == (Exit.DAMAGED, Exit.DAMAGED)
    assert word in full.err
    if first is not None:
        assert f"the first damaged entry is {first}" in full.err
        assert lines(full.out)[0]["first_bad_seq"] == first


async def test_the_whole_way_finds_what_the_short_one_leaves_out(tmp_path):
    """Entries before the newest snapshot but one are only counted, unless all are asked for."""
    async with SqliteJournal(tmp_path / FILE) as journal:
        for first in range(0, 300, 100):
            await journal.append(a_series(100, first=first))
            await journal.snapshot_by_fold()
    damage(tmp_path / FILE, "UPDATE entry SET value = -1 WHERE seq = 5")
    short, full = await run_all(tmp_path, ("verify", *HERE), ("verify", "--full", *HERE))
    assert (short.code, lines(short.out)[0]["from_seq"]) == (0, 201)
    assert (full.code, lines(full.out)[0]["first_bad_seq"]) == (Exit.DAMAGED, 5)


async def test_a_file_that_cannot_be_opened_any_more_is_looked_at_all_the_same(evening):
    """Its end is missing: where it ends is told, though no other verb would touch it."""
    damage(evening / FILE, "DELETE FROM entry WHERE seq > 90")
    result, refused = await run_all(evening, ("verify", *HERE), ("query", *HERE))
    assert (result.code, refused.code) == (Exit.DAMAGED, Exit.DAMAGED)
    assert "entries 91 to 96 are missing" in result.err
    assert "the first damaged entry is 91" in result.err


async def test_upgrade_knows_old_new_and_foreign(evening):
    """Nothing to do, nothing that this program understands, nothing at all."""
    shutil.copy(evening / FILE, evening / "newer.db")
    damage(evening / "newer.db", "PRAGMA user_version = 99")
    (evening / "empty.db").touch()
    now, newer, empty, missing, remote = await run_all(
        evening,
        ("upgrade", *HERE),
        ("upgrade", "-q", "--db", "newer.db"),
        ("upgrade", "-q", "--db", "empty.db"),
        ("upgrade", "-q", "--db", "none.db"),
        ("upgrade", "--url", "ws://127.0.0.1:1"),
    )
    assert [result.code for result in (now, newer, empty, missing, remote)] == [0, 3, 3, 3, 2]
    newest = schema.VERSION
    assert lines(now.out) == [{"file": FILE, "layout": newest, "was": newest, "newest": newest}]
    assert now.err == "nothing to do\n"
    assert "a newer version of this program wrote it" in newer.err


async def test_a_doctor_looks_at_everything(evening):
    """A sound place, one that is not there yet, and a file that is no journal."""
    (evening / "text.db").write_text("no journal" * 1000)
    sound, absent, nowhere, foreign = await run_all(
        evening,
        ("doctor", *HERE),
        ("doctor", "-q", "--db", "none.db"),
        ("doctor", "-q", "--db", "none/none.db"),
        ("doctor", "-q", "--db", "text.db"),
    )
    assert [result.code for result in (sound, absent, nowhere, foreign)] == [0, 0, 3, 3]
    verdicts = {record["check"]: record["verdict"] for record in lines(sound.out)}
    assert list(verdicts) == [
        *("sqlite", "file system", "disk", "fsync", "log", "lock", "journal", "snapshots", "clock")
    ]
    assert "bad" not in verdicts.values()
    assert "there is no file" in absent.out
    assert "there is no folder" in nowhere.err
    shown = await run_on_terminal(evening, "doctor", *HERE)
    assert "VERDICT" in shown.out


@pytest.mark.parametrize(
    ("version", "verdict", "has_bug"),
    [
        ((3, 37, 0), "bad", False),
        ((3, 40, 1), "ok", True),
        ((3, 44, 6), "ok", False),
        ((3, 50, 6), "ok", True),
        ((3, 50, 7), "ok", False),
        ((3, 51, 2), "ok", True),
        ((3, 51, 3), "ok", False),
        ((3, 53, 0), "ok", False),
    ],
)
def test_known_bugs_of_sqlite_are_named(version, verdict, has_bug):
    """Which version has which, and whether it matters here."""
    finding = sqlite_version(version)
    assert finding.verdict == verdict
    assert ("WAL-reset" in finding.finding) == has_bug


@pytest.mark.parametrize(
    ("folder", "verdict"),
    [("/srv/x", "ok"), ("/mnt/nas/x", "bad"), ("/mnt/nasty", "ok"), ("/run/x", "warn")],
)
def test_file_systems_are_judged(folder, verdict):
    """The innermost mount counts; a network is no place for a journal."""
    mounts = [("/", "ext4"), ("/mnt/nas", "nfs4"), ("/run", "tmpfs")]
    assert file_system(folder, mounts).verdict == verdict
    assert file_system(folder, []).verdict == "warn"
