"""Screens of all kinds: what peers wrote gives no orders, columns line up, and no stream has to be there."""

import asyncio
import os

import pytest
from rich.cells import cell_len

from clasp_journal.cli.output.formats import FORMATS
from clasp_journal.entry import JournalEntry
from clasp_journal.sqlite.journal import SqliteJournal
from tests.journal.cli.evening import FILE, lines
from tests.journal.cli.tool import COMMAND, PATIENCE_S, Result, environment, run, run_on_terminal

ADDRESS, VALUE, AUTHOR = "/a/\x1b[31mred", "x\x1b[0m\u009b\u202egnp", "ev\x07il\u2066"


async def keep(path, *wrote):
    """A journal of SETs: address, value and author of each."""
    async with SqliteJournal(path) as journal:
        await journal.append(
            JournalEntry.from_set(address, value, author=author, timestamp=at, revision=1)
            for at, (address, value, author) in enumerate(wrote, start=1)
        )


@pytest.fixture
async def rude(tmp_path):
    """A folder with a journal in which every text gives orders to terminals."""
    await keep(tmp_path / "rude.db", (ADDRESS, VALUE, AUTHOR))
    return tmp_path


@pytest.mark.parametrize(
    "call",
    [
        *(("query", "-o", form) for form in FORMATS),
        ("query", "--format", "%a %v %w"),
        ("state", "--tree"),
        ("who",),
        ("diff", "1970-01-01"),
        ("export",),
        ("query", "--where", f"{VALUE} ~"),
    ],
    ids=" ".join,
)
async def test_nothing_that_a_peer_wrote_controls_the_terminal(rude, call):
    """Controls, and what turns the direction of text, are spelled out in every format, and in errors."""
    shown = await run_on_terminal(rude, *call, "-q", "--db", "rude.db", stderr_too=True, NO_COLOR="1")
    plain = shown.out.replace("\t", " ")
    assert r"\u202e" in plain or r"\u2066" in plain
    assert all(character.isprintable() for line in plain.split("\n") for character in line)


async def test_what_is_spelled_out_in_json_is_the_same_json(rude):
    """On a terminal as in a pipe, where every character is as it was."""
    shown = await run_on_terminal(rude, "query", "-o", "jsonl", "-q", "--db", "rude.db")
    exact = await run(rude, "query", "-q", "--db", "rude.db")
    assert lines(shown.out) == lines(exact.out)
    [record] = lines(exact.out)
    assert (record["address"], record["value"], record["author"]) == (ADDRESS, VALUE, AUTHOR)
    assert "\u202e" in exact.out


async def test_columns_line_up_whatever_is_in_them(tmp_path):
    """Characters that take two columns, or none, are counted as what they take; nothing is cut unasked."""
    texts = ("/日本語/照明", "/e\u0301tage/1", "/🔥/x", "/plain")
    await keep(tmp_path / "wide.db", *((text, text, "照明卓") for text in texts))
    drawn = await run_on_terminal(tmp_path, "query", "-q", "--db", "wide.db", NO_COLOR="1")
    piped = await run(tmp_path, "query", "-q", "--db", "wide.db", "-o", "table")
    for shown in (drawn.out, piped.out):
        rows = shown.splitlines()
        assert all(text in shown for text in texts)
        assert len({cell_len(row[: row.index("照明卓")]) for row in rows[1:]}) == 1


@pytest.mark.parametrize("columns", [0, 1, 20])
async def test_a_terminal_that_is_hardly_there_breaks_lines(recorded, columns):
    """What is cut to its width would say nothing: times stay whole."""
    shown = await run_on_terminal(
        recorded, "query", "-n", "2", "-q", "--db", FILE, NO_COLOR="1", columns=columns
    )
    assert shown.out.count("2025-11-21 20:0") == 2
    assert "ADDRE" in shown.out


async def test_no_locale_loses_a_character(tmp_path):
    """In a pipe it is UTF-8 in any; a terminal that lacks a character gets its number."""
    await keep(tmp_path / "wide.db", ("/日本語", "照明", "卓"))
    forms = ("jsonl", "json", "csv", "tsv", "raw", "table")
    odd = {"PYTHONIOENCODING": "ascii"}
    results = await asyncio.gather(
        *(run(tmp_path, "query", "-q", "--db", "wide.db", "-o", form, **odd) for form in forms)
    )
    assert [(result.code, "照明" in result.out) for result in results] == [(0, True)] * len(forms)
    shown = await run_on_terminal(tmp_path, "query", "-q", "--db", "wide.db", **odd)
    assert (shown.code, r"\u7167" in shown.out) == (0, True)


@pytest.mark.parametrize("call", [(), *(("-o", form) for form in FORMATS)], ids=" ".join)
async def test_a_stream_that_is_not_there_is_no_fault(recorded, call):
    """`>&-` is silent, like a closed pipe; without stderr nothing of it gets into the results."""
    query = (*COMMAND, "query", "-n", "1", "--db", FILE, *call)
    silent = await closed(recorded, 1, *query)
    alone = await closed(recorded, 2, *query)
    assert (silent.code, silent.out, silent.err) == (0, "", f"journal: {FILE} (--db)\n")
    assert (alone.code, alone.out) == (0, (await run(recorded, *query[len(COMMAND) :])).out)


async def closed(folder, stream, *command):
    """Run a command without one of its streams."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=environment(folder),
        stdout=pipe,
        stderr=pipe,
        preexec_fn=lambda: os.close(stream),
    )
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    return Result(process.returncode, out.decode(), err.decode())


SESSION = "0c5a9f7e-3b1d-4c6f-9a2e-5d8b7c6a4f3e"


async def test_a_table_names_whom_a_person_knows(tmp_path):
    """The name of a client in place of the number of its session, never of the subject of a token."""
    async with SqliteJournal(tmp_path / "show.db") as journal:
        for author, name in ((SESSION, "desk"), ("subject", "impostor"), (SESSION, None)):
            entry = JournalEntry.from_set("/a", 1, author=author, timestamp=1, revision=1)
            await journal.append(entry._replace(name=name))
    shown = await run_on_terminal(tmp_path, "query", "-q", "--db", "show.db", columns=150, NO_COLOR="1")
    piped = await run(tmp_path, "query", "-q", "--db", "show.db")
    assert [row.split()[-1] for row in shown.out.splitlines()[1:]] == ["desk", "subject", SESSION]
    assert [record["author"] for record in lines(piped.out)] == [SESSION, "subject", SESSION]


async def test_null_is_not_nothing(tmp_path):
    """A table of differences tells null from what is not there, and a text from a word."""
    await keep(tmp_path / "null.db", ("/a", None, "x"), ("/b", "true", "x"))
    diff = await run(tmp_path, "diff", "1970-01-01", "-o", "table", "-q", "--db", "null.db")
    assert [row.split()[:3] for row in diff.out.splitlines()[1:]] == [
        ["/a", "new", "null"],
        ["/b", "new", '"true"'],
    ]


async def test_a_person_is_told_that_nothing_matched(recorded):
    """On a terminal, in words of the verb; a program sees that for itself."""
    calls = {
        ("query", "/nothing"): "nothing matched",
        ("diff", "now"): "nothing differs",
        ("snapshot", "list"): "there are no snapshots yet",
    }
    for call, words in calls.items():
        shown = await run_on_terminal(recorded, *call, "--db", FILE)
        piped = await run(recorded, *call, "--db", FILE)
        assert (shown.out, shown.err) == ("", f"journal: {FILE} (--db)\n{words}\n")
        assert piped.err == f"journal: {FILE} (--db)\n"
