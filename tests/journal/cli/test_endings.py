"""How the tool ends: the journal it finds, the codes it leaves, and what it does not say."""

import asyncio
import shutil

from clasp_journal.cli.exits import Exit
from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.testing.samples import START_US, a_series
from clasp_journal.value import encode
from tests.journal.cli.evening import FILE, lines
from tests.journal.cli.tool import PATIENCE_S, run, run_all, start


async def test_the_journal_is_found_by_flag_variable_or_default(recorded, tmp_path):
    """In that order; stderr says which one it is and why, unless it is asked to be quiet."""
    shutil.copy(recorded / FILE, tmp_path / "clasp-journal.db")
    shutil.copy(recorded / FILE, tmp_path / "other.db")
    default = await run(tmp_path, "marks")
    variable = await run(tmp_path, "marks", CLASP_JOURNAL_DB="other.db", CLASP_URL="ws://127.0.0.1:1")
    flag = await run(tmp_path, "marks", "--db", "sqlite:other.db", CLASP_JOURNAL_DB="none.db")
    quiet = await run(tmp_path, "marks", "-q")
    assert [default.err, variable.err, flag.err, quiet.err] == [
        "journal: clasp-journal.db (the default)\n",
        "journal: other.db ($CLASP_JOURNAL_DB)\n",
        "journal: other.db (--db)\n",
        "",
    ]
    assert {result.code for result in (default, variable, flag, quiet)} == {0}


async def test_what_cannot_be_opened_or_reached_is_code_3(tmp_path):
    """A missing file, a directory, somebody else's file, a router that is not there."""
    (tmp_path / "folder.db").mkdir()
    (tmp_path / "text.db").write_text("this is no database, whatever its name says" * 100)
    missing, folder, foreign, absent, both, odd = await run_all(
        tmp_path,
        ("query",),
        ("query", "--db", "folder.db"),
        ("query", "--db", "text.db"),
        ("query", "--url", "ws://127.0.0.1:1"),
        ("query", "--url", "ws://127.0.0.1:1", "--db", "text.db"),
        ("query", "--url", "127.0.0.1:7330"),
    )
    assert [result.code for result in (missing, folder, absent)] == [Exit.UNREACHABLE] * 3
    assert foreign.code == Exit.DAMAGED
    assert [result.code for result in (both, odd)] == [Exit.USAGE] * 2
    assert "there is no file clasp-journal.db; name a journal with --db FILE" in missing.err
    assert folder.err.endswith("folder.db: this is a directory\n")
    assert foreign.err.endswith("text.db: this is no journal, or its beginning is damaged\n")
    assert "cannot reach ws://127.0.0.1:1" in absent.err
    assert "--db and --url name two journals" in both.err
    assert "an example: ws://127.0.0.1:7330" in odd.err
    assert not any("Traceback" in result.err for result in (missing, folder, foreign, absent, both, odd))


async def test_a_file_that_cannot_be_looked_for_is_not_said_to_be_missing(tmp_path):
    """It may be there."""
    (tmp_path / "round.db").symlink_to("round.db")
    for verb in (("query",), ("verify",), ("import", "round.db", "--db", "new.db")):
        target = () if "--db" in verb else ("--db", "round.db")
        result = await run(tmp_path, *verb, *target, "-q")
        told = "clasp-journal: round.db: Too many levels of symbolic links\n"
        assert (result.code, result.err) == (Exit.UNREACHABLE, told)


async def test_a_url_without_a_host_or_with_no_port_is_code_2(tmp_path):
    """Nobody tries to reach it; one that could be right and is not there is named with the reason."""
    urls = ("ws://", "ws://127.0.0.1:99999", "wss://127.0.0.1:x")
    wrong = await run_all(tmp_path, *(("query", "--url", url) for url in urls), ("replay", "--to", "ws://:1"))
    absent = await run(tmp_path, "query", "-q", "--url", "ws://127.0.0.1:1")
    assert [(result.code, result.err.count("\n")) for result in wrong] == [(Exit.USAGE, 1)] * 4
    assert all("is no URL of a router; an example" in result.err for result in wrong)
    assert absent.err == "clasp-journal: cannot reach ws://127.0.0.1:1: Connection refused\n"


async def test_a_range_that_is_not_whole_is_code_6(tmp_path):
    """What remains is printed; a state that cannot be told any more is refused."""
    async with SqliteJournal(tmp_path / "short.db") as journal:
        await journal.append(a_series(20))
        await journal.compact(11)
    begun = f"@{START_US // 1_000_000}"
    whole, cut, since, state, enough, kept = await run_all(
        tmp_path,
        *(
            (*call, "-q", "--db", "short.db")
            for call in (
                ("query", "-n", "all"),
                ("query", "-n", "all", "-S", begun),
                ("since", "3"),
                ("state", "--at", begun),
                ("query", "-n", "5", "-S", begun),
                ("state", "--at", "seq:10"),
            )
        ),
    )
    assert [result.code for result in (whole, enough, kept)] == [0, 0, 0]
    assert [result.code for result in (cut, since, state)] == [Exit.INCOMPLETE] * 3
    assert [record["seq"] for record in lines(cut.out)] == list(range(11, 21))
    assert cut.err == since.err == "clasp-journal: incomplete: entries before 11 are gone\n"
    assert state.out == ""
    assert "the journal begins with entry 11" in state.err
    assert lines(kept.out)[0]["value"] == 9


async def test_a_gap_in_the_range_is_code_6(tmp_path):
    """Where journaling had stopped, whoever asks for that time is told how much is missing."""
    details = encode({"from": START_US + 5, "to": START_US + 9, "count": 4})
    gap = JournalEntry(START_US + 9, "", "", EntryKind.GAP, details=details)
    async with SqliteJournal(tmp_path / "gap.db") as journal:
        await journal.append([*a_series(5), gap, *a_series(5, first=20)])
    over, beside = await run_all(
        tmp_path,
        ("query", "-n", "all", "-q", "--db", "gap.db"),
        ("query", "-S", f"{START_US + 20}", "-q", "--db", "gap.db"),
    )
    assert (over.code, beside.code) == (Exit.INCOMPLETE, 0)
    assert "journaling had stopped before entry 6, 4 entries are missing" in over.err
    assert len(lines(over.out)) == 11


async def test_damage_is_code_5(recorded, tmp_path):
    """A value that is not what was written is not shown as if it were."""
    shutil.copy(recorded / FILE, tmp_path / FILE)
    content = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(content.replace(b"steady", b"stEady"))
    result = await run(tmp_path, "query", "--op", "set", "-n", "all", "-q", "--db", FILE)
    assert result.code == Exit.DAMAGED
    assert result.err.startswith("clasp-journal: ")


async def test_a_wrong_verb_is_answered_with_the_nearest(tmp_path):
    """So is nothing at all, with the list of verbs."""
    typo, nothing, help_text = await run_all(tmp_path, ("qeury",), (), ("--help",))
    assert typo.code == Exit.USAGE
    assert "there is no verb 'qeury'; the nearest is query" in typo.err
    assert nothing.code == Exit.USAGE
    assert "query" in nothing.err + nothing.out
    assert help_text.code == 0
    assert "The newest entries that match, oldest first." in help_text.out


async def test_a_closed_pipe_is_silent(tmp_path):
    """Whoever has read enough is not bothered with errors, and the code is 0."""
    async with SqliteJournal(tmp_path / "long.db") as journal:
        await journal.append(a_series(5_000))
    process = await start(tmp_path, "query", "-n", "all", "-q", "--db", "long.db")
    assert (await process.stdout.readline()).startswith(b'{"seq": 1,')
    process._transport.get_pipe_transport(1).close()
    async with asyncio.timeout(PATIENCE_S):
        told = await process.stderr.read()
        assert (await process.wait(), told) == (0, b"")


async def test_a_result_that_cannot_be_written_is_code_3(recorded):
    """A full disk behind `>` is one line, as with every other fault, also where it shows only at the end."""
    with open("/dev/full", "wb") as full:
        for rows in ("all", "1"):
            process = await start(recorded, "query", "-n", rows, "-q", "--db", FILE, stdout=full)
            async with asyncio.timeout(PATIENCE_S):
                _, told = await process.communicate()
            assert (process.returncode, told.count(b"\n")) == (Exit.UNREACHABLE, 1)
            assert b"No space left on device" in told
