"""forget: shown before it is done, on a file and through a router; what is left stays true."""

import json
import shutil

import pytest

from clasp_journal.cli.exits import Exit
from clasp_journal.sqlite.journal import SqliteJournal
from router.client import connect
from tests.interop.router_process import running_router
from tests.journal.cli.evening import FILE, entries, lines
from tests.journal.cli.tool import run, run_all

HERE = ("-q", "--db", FILE)


@pytest.fixture
def evening(recorded, tmp_path):
    """A copy of the evening, to be changed."""
    shutil.copy(recorded / FILE, tmp_path / FILE)
    return tmp_path


async def test_what_would_go_is_shown_before_it_goes(evening):
    """By any name of the author; nobody, and nothing, can be meant, too."""
    dry, named, unknown, odd, before = await run_all(
        evening,
        ("forget", "session-c", *HERE),
        ("forget", "desk", *HERE),
        ("forget", "nobody", "--yes", *HERE),
        ("forget", "", "--yes", *HERE),
        ("state", *HERE),
    )
    assert lines(dry.out) == [{"author": "session-c", "would_forget": 5, "from_seq": 3, "to_seq": 95}]
    assert (dry.code, named.code, unknown.code, odd.code) == (Exit.REFUSED, Exit.REFUSED, 0, Exit.USAGE)
    assert "nothing was removed: --yes removes them" in dry.err
    assert lines(named.out)[0]["would_forget"] == 60
    assert lines(unknown.out) == [{"author": "nobody", "forgotten": 0}]
    done = await run(evening, "forget", "desk", "--yes", *HERE)
    assert lines(done.out) == [{"author": "desk", "forgotten": 60}]
    state, past, who, asked, since, verified = await run_all(
        evening,
        ("state", *HERE),
        ("state", "--at", "2025-11-21T20:00:30", *HERE),
        ("who", *HERE),
        ("query", "--author", "desk", *HERE),
        ("query", "-S", "2025-11-21T20:00:30", "-n", "all", *HERE),
        ("verify", "--full", *HERE),
    )
    assert state.out == before.out
    assert past.code == Exit.INCOMPLETE
    assert {record["author"] for record in lines(who.out)} == {"session-b", "session-c"}
    assert (asked.code, asked.out) == (Exit.INCOMPLETE, "")
    assert "entries were forgotten" in since.err
    assert (verified.code, lines(verified.out)[0]["forgotten"]) == (0, 60)


async def test_a_live_router_forgets(tmp_path):
    """Through its URL; on its file it is refused. Params stay, and a restart tells the same."""
    async with (
        running_router(tmp_path) as router,
        connect(router.url, name="desk") as desk,
        connect(router.url, name="wing") as wing,
    ):
        for n in range(5):
            await desk.set("/desk", n)
            await wing.set("/wing", n)
        through = ("-q", "--url", router.url)
        dry = await run(tmp_path, "forget", "desk", *through)
        assert (dry.code, lines(dry.out)[0]["would_forget"]) == (Exit.REFUSED, 5)
        beside = await run(tmp_path, "forget", "desk", "--yes", "-q", "--db", "journal.db")
        assert beside.code == Exit.UNREACHABLE
        done = await run(tmp_path, "forget", "desk", "--yes", *through)
        assert lines(done.out) == [{"author": "desk", "forgotten": 5}]
        left = await run(tmp_path, "query", "/**/*", "-n", "all", *through)
        assert {record["address"] for record in lines(left.out)} == {"/wing"}
        assert (await desk.get("/desk")) == 4
        history = wing.replay("/**")
        assert [entry.address async for entry in history] == ["/wing"] * 5
        assert history.incomplete, "who reads on from the beginning is told that there was more"
    async with SqliteJournal(tmp_path / "journal.db") as journal:
        assert (await journal.state()).live["/desk"].value == 4
        assert (await journal.verify()).is_intact


@pytest.mark.parametrize("form", ["json", "csv"])
async def test_an_author_s_entries_are_exported_and_kept_elsewhere(evening, form):
    """In every form, with digests that are checked; and with their numbers where these fit."""
    whole = ("export", "-o", form, "--digests", "-O", "all", *HERE)
    assert (await run(evening, *whole)).code == 0
    kept, refused = (
        await run(evening, "import", "all", "--keep-seqs", "-q", "--db", "new.db"),
        await run(evening, "import", "all", "--keep-seqs", "--yes", *HERE),
    )
    assert lines(kept.out) == [{"imported": 96, "first_seq": 1, "last_seq": 96}]
    assert refused.code == Exit.USAGE
    assert "there is an entry 1 in the journal already; nothing was imported" in refused.err
    one = await run(evening, "export", "--author", "desk", "-o", "json", *HERE)
    assert {record["author"] for record in json.loads(one.out)} == {"session-a"}


async def test_lines_of_a_mirror_are_forgotten_when_asked_for(tmp_path):
    """Shown first; the chain and the comparison hold before and after."""
    async with SqliteJournal(tmp_path / FILE, mirror=tmp_path / "show.jsonl") as journal:
        await journal.append(entries())
        await journal.forget("desk")
    for call, code, facts in (
        ((), Exit.REFUSED, {"would_forget": 60}),
        (("--yes",), 0, {"forgotten": 60}),
        ((), 0, {"would_forget": 0}),
    ):
        result = await run(tmp_path, "mirror", "forget", "show.jsonl", "-q", *call)
        assert (result.code, lines(result.out)) == (code, [facts])
    assert b"session-a" not in (tmp_path / "show.jsonl").read_bytes()
    verified, compared = await run_all(
        tmp_path, ("mirror", "verify", "show.jsonl", "-q"), ("mirror", "parity", "show.jsonl", *HERE)
    )
    assert (verified.code, compared.code) == (0, 0)
