"""backup, restore, compact, export and import on a file: exact, fresh or not at all, and never unasked."""

import shutil

import pytest

from clasp_journal.cli.exits import Exit
from tests.journal.cli.evening import FILE, lines
from tests.journal.cli.tool import run, run_all, run_on_terminal

HERE = ("-q", "--db", FILE)


@pytest.fixture
def evening(recorded, tmp_path):
    """A copy of the evening that may be changed."""
    shutil.copy(recorded / FILE, tmp_path / FILE)
    return tmp_path


async def exported(folder, file):
    """All entries of a journal that verifies."""
    whole, export = await run_all(
        folder, ("verify", "--full", "-q", "--db", file), ("export", "-q", "--db", file)
    )
    assert whole.code == 0, whole.err
    return export.out


async def test_a_backup_is_the_same_journal(evening):
    """Entry by entry; a file that is there, or a folder that is not, is refused."""
    made = await run(evening, "backup", "copy.db", *HERE)
    [record] = lines(made.out)
    assert (record["file"], record["entries"], record["latest_seq"]) == ("copy.db", 96, 96)
    assert await exported(evening, "copy.db") == await exported(evening, FILE)
    again, nowhere, remote = await run_all(
        evening,
        ("backup", "copy.db", *HERE),
        ("backup", "no/copy.db", *HERE),
        ("backup", "third.db", "--url", "ws://127.0.0.1:1"),
    )
    assert [result.code for result in (again, nowhere, remote)] == [3, 3, Exit.USAGE]
    assert "nothing is overwritten" in again.err
    assert "no such folder" in nowhere.err
    assert "name it with --db FILE" in remote.err
    assert not (evening / "third.db").exists()


async def test_a_restored_journal_is_what_was(evening):
    """Its state is that of the instant, and it is a journal of its own."""
    made = await run(evening, "restore", "--at", "2025-11-21T20:00:30", "--to", "then.db", *HERE)
    [record] = lines(made.out)
    then, was, epochs, epoch = await run_all(
        evening,
        ("state", "-q", "--db", "then.db"),
        ("state", "--at", "2025-11-21T20:00:30", *HERE),
        ("stats", "-q", "--db", "then.db"),
        ("stats", *HERE),
    )
    assert then.out == was.out != ""
    assert lines(epochs.out)[0]["latest_seq"] == record["latest_seq"]
    assert lines(epochs.out)[0]["epoch"] != lines(epoch.out)[0]["epoch"]
    again, never, missing = await run_all(
        evening,
        ("restore", "--at", "now", "--to", "then.db", *HERE),
        ("restore", "--at", "seq:400", "--to", "other.db", *HERE),
        ("restore", "--at", "now", *HERE),
    )
    assert [result.code for result in (again, never, missing)] == [3, Exit.USAGE, Exit.USAGE]
    assert "the journal ends with entry 96" in never.err
    assert not (evening / "other.db").exists()


async def test_compaction_is_shown_before_it_is_made(evening):
    """By number, by time, by age; the state stays true for all that remains, and older ones are gone."""
    before = await run(evening, "state", "--at", "seq:70", *HERE)
    dry, timed, kept, neither, odd = await run_all(
        evening,
        *(
            ("compact", *call, *HERE)
            for call in (
                ("--before", "40"),
                ("--before", "2025-11-21T20:00:30"),
                ("--keep", "40000d"),
                (),
                ("--keep", "much"),
            )
        ),
    )
    assert lines(dry.out) == [{"would_remove": 39, "from_seq": 1, "to_seq": 39, "remaining": 57}]
    assert (dry.code, timed.code, kept.code) == (Exit.REFUSED, Exit.REFUSED, 0)
    assert "nothing was removed: --yes removes them" in dry.err
    assert lines(kept.out) == [{"removed": 0, "remaining": 96}]
    assert (neither.code, odd.code) == (Exit.USAGE, Exit.USAGE)
    assert len((await exported(evening, FILE)).splitlines()) == 96
    done = await run(evening, "compact", "--before", "40", "--yes", *HERE)
    assert lines(done.out) == [{"removed": 39, "from_seq": 1, "to_seq": 39, "remaining": 57}]
    assert len((await exported(evening, FILE)).splitlines()) == 57
    after, gone, again = await run_all(
        evening,
        ("state", "--at", "seq:70", *HERE),
        ("state", "--at", "seq:20", *HERE),
        ("compact", "--before", "2025-11-21T20:00:01", "--yes", *HERE),
    )
    assert after.out == before.out
    assert gone.code == Exit.INCOMPLETE
    assert (again.code, lines(again.out)[0]["removed"]) == (0, 0)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
async def test_an_export_can_be_imported(evening, form):
    """Into a journal that is made for it, or, with --yes, behind what another one has."""
    out = await run(evening, "export", "-o", form, "-O", "file", *HERE)
    assert (out.code, out.out) == (0, "")
    assert "96 entries in file" in out.err
    made = await run(evening, "import", "file", "-q", "--db", "new.db")
    assert lines(made.out) == [{"imported": 96, "first_seq": 1, "last_seq": 96}]
    assert await exported(evening, "new.db") == await exported(evening, FILE)
    refused = await run(evening, "import", "file", "-q", "--db", "new.db")
    assert refused.code == Exit.REFUSED
    assert "has 96 entries already; nothing was imported" in refused.err
    appended = await run(evening, "import", "file", "--yes", "-q", "--db", "new.db")
    assert lines(appended.out)[0]["last_seq"] == 192
    (evening / "nothing").write_text("")
    nothing = await run(evening, "import", "nothing", "--yes", "-q", "--db", "new.db")
    assert lines(nothing.out) == [{"imported": 0, "first_seq": None, "last_seq": None}]


async def test_an_export_can_be_narrowed(evening):
    """By what narrows a query; to a fresh file or to stdout; nothing is a file, too."""
    some, none, taken, odd = await run_all(
        evening,
        ("export", "/lights/2/*", "-S", "2025-11-21T20:00:20", *HERE),
        ("export", "/none", "-o", "csv", *HERE),
        ("export", "-O", FILE, *HERE),
        ("export", "-o", "xml", *HERE),
    )
    assert [record["op"] for record in lines(some.out)] == ["set", "set", "expire"]
    assert len(none.out.splitlines()) == 1
    assert (taken.code, odd.code) == (3, Exit.USAGE)
    shown = await run_on_terminal(evening, "export", "/cue/**", *HERE)
    assert lines(shown.out)[0]["address"] == "/cue/go"


async def test_a_file_that_is_no_export_makes_no_journal(evening):
    """The line and the reason are named; what was there stays as it was."""
    (evening / "bad.jsonl").write_text(
        '{"timestamp": 1, "op": "set", "address": "/a", "value": 1}\n{"op": 5}\n'
    )
    fresh, there, missing, remote = await run_all(
        evening,
        ("import", "bad.jsonl", "-q", "--db", "new.db"),
        ("import", "bad.jsonl", "--yes", *HERE),
        ("import", "none.jsonl", *HERE),
        ("import", "bad.jsonl", "--url", "ws://127.0.0.1:1"),
    )
    assert [result.code for result in (fresh, there, missing, remote)] == [2, 2, 3, 2]
    assert "bad.jsonl, line 2: " in fresh.err
    assert "nothing was imported" in there.err
    assert not list(evening.glob("new.db*"))
    assert len((await exported(evening, FILE)).splitlines()) == 96


async def test_import_names_what_it_cannot_read(tmp_path):
    """A folder or a pipe is not taken for a fault of the journal, and no journal is made."""
    for source in (".", "/dev/stdin", "-"):
        result = await run(tmp_path, "import", source, "-q", "--db", "new.db")
        assert (result.code, result.out) == (Exit.UNREACHABLE, "")
        assert result.err.startswith(f"clasp-journal: {source}: this is no file: import looks twice")
    assert not list(tmp_path.iterdir())


async def test_one_entry_is_an_entry(recorded):
    """What is counted in words is counted as people do."""
    one, two = await run_all(
        recorded, *(("compact", "--before", number, "-q", "--db", FILE) for number in ("2", "3"))
    )
    assert one.err.startswith("clasp-journal: 1 entry would go;")
    assert two.err.startswith("clasp-journal: 2 entries would go;")
