"""The acting verbs and running routers: through the URL, beside the file, and into another router."""

import asyncio
import re
import shutil

import pytest

from clasp_journal.cli.exits import Exit
from clasp_journal.entry import SignalType
from clasp_journal.sqlite.journal import SqliteJournal
from router.client import connect
from tests.interop.router_process import running_router
from tests.journal.cli.evening import FILE, lines
from tests.journal.cli.tool import run, run_all, run_on_terminal

BESIDE = ("-q", "--db", "journal.db")


@pytest.fixture
async def router(recorded, tmp_path):
    """A router that continues the evening."""
    shutil.copy(recorded / FILE, tmp_path / "journal.db")
    async with running_router(tmp_path) as running:
        yield running


@pytest.fixture
async def desk(router):
    """A client of it."""
    async with connect(router.url, name="desk") as client:
        yield client


async def test_what_writes_goes_through_the_router(router, tmp_path):
    """mark, snapshot and compact by URL; on the file of a live router they name its process and its URL."""
    through = ("-q", "--url", router.url)
    refused = await run_all(
        tmp_path,
        ("mark", "interval", *BESIDE),
        ("snapshot", "create", *BESIDE),
        ("compact", "--before", "10", "--yes", *BESIDE),
        ("import", "journal.db", *BESIDE),
    )
    for result in refused:
        assert (result.code, result.out) == (Exit.UNREACHABLE, "")
        assert re.search(
            rf"another process is writing it: process \d+, {router.url}; ask that router", result.err
        )
    marked = await run(tmp_path, "mark", "interval", "-m", "bar is open", *through)
    [record] = lines(marked.out)
    assert (record["mark"], record["seq"]) == ("interval", 97)
    past = await run(tmp_path, "mark", "cue", "--at", "2025-11-21T20:00:30", *through)
    assert lines(past.out)[0]["time"] == "2025-11-21T20:00:30.000000+00:00"
    marks, kept, dry = await run_all(
        tmp_path,
        ("marks", *BESIDE),
        ("snapshot", "create", *through),
        ("compact", "--before", "10", *through),
    )
    assert [mark["mark"] for mark in lines(marks.out)] == ["doors-open", "interval", "cue"]
    assert lines(kept.out)[0]["seq"] == 98
    assert (dry.code, lines(dry.out)[0]["would_remove"]) == (Exit.REFUSED, 9)
    done = await run(tmp_path, "compact", "--before", "10", "--yes", *through)
    assert lines(done.out) == [{"removed": 9, "from_seq": 1, "to_seq": 9, "remaining": 89}]
    late, listed, whole, doctor = await run_all(
        tmp_path,
        ("compact", "--keep", "40000d", *through),
        ("snapshot", "list", *BESIDE),
        ("verify", "--full", *BESIDE),
        ("doctor", *BESIDE),
    )
    assert (late.code, lines(late.out)[0]["removed"]) == (0, 0)
    assert {9, 98} <= {header["seq"] for header in lines(listed.out)}
    assert whole.code == 0
    [lock] = [record["finding"] for record in lines(doctor.out) if record["check"] == "lock"]
    assert router.url in lock


async def test_what_reads_says_the_same_through_the_router(router, tmp_path):
    """diff and export; a doctor looks at the connection."""
    calls = (
        ("diff", "2025-11-21T20:00:10", "mark:doors-open"),
        ("diff", "seq:5", "now", "/lights/**"),
        ("diff", "seq:999"),
        ("export",),
        ("export", "/lights/2/*", "-o", "csv"),
        ("snapshot", "list"),
        ("snapshot", "show"),
        ("snapshot", "show", "seq:50"),
    )
    await run(tmp_path, "snapshot", "create", "-q", "--url", router.url)
    for call in calls:
        file, live = await run_all(tmp_path, (*call, *BESIDE), (*call, "-q", "--url", router.url))
        assert file == live, call
    doctor = await run(tmp_path, "doctor", "-q", "--url", router.url)
    assert [record["check"] for record in lines(doctor.out)] == ["router", "clock", "journal"]
    assert doctor.code == 0


async def test_a_backup_beside_a_busy_router_is_whole(router, desk, tmp_path):
    """What was committed when it began is in it; the router goes on meanwhile."""
    for number in range(2_000):
        await desk.set(f"/busy/{number % 50}", number, qos=0)
    await desk.set("/busy/last", 1)
    writing = True

    async def keep_writing():
        count = 0
        while writing:
            await desk.set("/busy/more", count)
            count += 1
        return count

    more = asyncio.ensure_future(keep_writing())
    made = await run(tmp_path, "backup", "copy.db", *BESIDE)
    writing = False
    assert await more > 0
    [record] = lines(made.out)
    whole, state = await run_all(
        tmp_path,
        ("verify", "--full", "-q", "--db", "copy.db"),
        ("get", "/busy/last", "-q", "--db", "copy.db"),
    )
    assert (whole.code, state.code) == (0, 0)
    assert lines(whole.out)[0]["entries"] == record["entries"] >= 2_097


async def test_an_undo_is_shown_and_then_made(router, desk, tmp_path):
    """The subtree is back, its SETs are in the journal and reach subscribers; what is new is named."""
    await desk.set("/lights/1/level", "wrong")
    await desk.set("/lights/2/level", "wrong, too")
    await desk.set("/lights/3/level", "new")
    await desk.set("/sound", 1)
    seen = await desk.subscribe("/lights/**")
    asked = ("undo", "/lights/**", "--to", "2025-11-21T20:00:30", "-q", "--url", router.url)
    dry = await run(tmp_path, *asked)
    assert dry.code == Exit.REFUSED
    assert "2 SETs to send; nothing was sent: --yes sends them" in dry.err
    assert lines(dry.out) == [
        {"address": "/lights/1/level", "action": "set", "now": "wrong", "then": 0.5, "revision": 61},
        {"address": "/lights/2/level", "action": "set", "now": "wrong, too", "then": "steady", "revision": 4},
        {"address": "/lights/3/level", "action": "stays", "now": "new", "revision": 1},
    ]
    assert await desk.get("/lights/1/level") == "wrong"
    table = await run_on_terminal(tmp_path, *asked)
    assert "THEN" in table.out
    done = await run(tmp_path, *asked, "--yes")
    assert (done.code, done.out, done.err) == (0, dry.out, "2 SETs sent\n")
    updates = {update.address: update.value for update in [await anext(seen) for _ in range(5)][3:]}
    assert updates == {"/lights/1/level": 0.5, "/lights/2/level": "steady"}
    entries, nothing = await run_all(
        tmp_path, ("query", "-n", "2", *BESIDE), (*asked, "--yes", "--exit-empty")
    )
    assert [entry["value"] for entry in lines(entries.out)] == [0.5, "steady"]
    assert (nothing.code, nothing.err) == (Exit.NOTHING, "nothing to bring back\n")


async def test_what_was_not_there_can_be_made_to_expire(router, desk, tmp_path):
    """Its end is an entry, a second later."""
    await desk.set("/lights/3/level", "new")
    asked = ("undo", "/lights/3/**", "--to", "mark:doors-open", "--expire-new", "-q", "--url", router.url)
    done = await run(tmp_path, *asked, "--yes")
    assert [record["action"] for record in lines(done.out)] == ["expire"]
    async for entry in desk.replay("/lights/3/*", journal_kinds=True, follow=True):
        if entry.encoded is None:
            break
    gone = await run(tmp_path, "get", "/lights/3/level", "--exit-empty", *BESIDE)
    assert gone.code == Exit.NOTHING


async def test_an_undo_needs_a_router_a_pattern_and_a_time(router, tmp_path):
    """Each is asked for in words."""
    file, timeless, blind, odd, gone = await run_all(
        tmp_path,
        ("undo", "/**", "--to", "now", *BESIDE),
        ("undo", "/**", "-q", "--url", router.url),
        ("undo", "--to", "now", "-q", "--url", router.url),
        ("undo", "lights", "--to", "now", "-q", "--url", router.url),
        ("undo", "/**", "--to", "now", "-q", "--url", "ws://127.0.0.1:1"),
    )
    assert [result.code for result in (file, timeless, blind, odd, gone)] == [2, 2, 2, 2, 3]
    assert "undo sends SETs through a router, so that everybody gets them" in file.err
    assert "--to" in timeless.err


async def test_a_replay_goes_into_another_router(router, desk, tmp_path):
    """The same values in the same order, elsewhere if asked; not unasked among params that are there."""
    await desk.publish("/event", [1], signal=SignalType.EVENT, qos=2)
    (tmp_path / "stage").mkdir()
    async with running_router(tmp_path / "stage") as stage:
        asked = ("replay", "--to", stage.url, "--speed", "max")
        played = await run(tmp_path, *asked, *BESIDE)
        assert lines(played.out) == [{"sent": 95, "refused": 0, "to": stage.url}]
        again = await run(tmp_path, *asked, *BESIDE)
        assert (again.code, again.out) == (Exit.REFUSED, "")
        assert "has 2 params already; nothing was sent" in again.err
        below = ("/lights/1/*", "--map", "/lights=/rehearsal", "--yes", "-U", "2025-11-21T20:00:03")
        mapped = await run(tmp_path, *asked, *below, "-q", "--url", router.url)
        assert lines(mapped.out)[0]["sent"] == 4
        async with connect(stage.url) as there:
            replayed = [entry async for entry in there.replay()]
            assert await there.get("/rehearsal/1/level") == 3 / 60
    async with SqliteJournal(tmp_path / "journal.db", read_only=True) as journal:
        recorded = [entry for entry in await journal.query() if entry.kind < 0xE0]
    assert [(e.address, e.encoded) for e in replayed[:95]] == [(e.address, e.encoded) for e in recorded]


async def test_what_a_router_refuses_of_a_replay_is_told(recorded, tmp_path):
    """How many, and the first reason; code 4."""
    async with running_router(tmp_path) as stage:
        async with connect(stage.url) as client:
            await client.set("/lights/1/level", 1, lock=True)
            locked = await run(
                recorded, "replay", "--to", stage.url, "--speed", "max", "--yes", "-q", "--db", FILE
            )
        assert locked.code == Exit.FORBIDDEN
        assert lines(locked.out)[0]["refused"] == 60
        assert "refused 60 of 94; the first: 401 /lights/1/level" in locked.err
        slow, gap, odd, away, missing = await run_all(
            recorded,
            *(
                ("replay", *call, "-q", "--db", FILE)
                for call in (
                    ("--to", stage.url, "--speed", "fast"),
                    ("--to", stage.url, "--max-gap", "long"),
                    ("--to", stage.url, "--map", "/a"),
                    ("--to", "ws://127.0.0.1:1"),
                    (),
                )
            ),
        )
    assert [result.code for result in (slow, gap, odd, away, missing)] == [2, 2, 2, 3, 2]
    assert "examples: 1, 4, 0.5, max" in slow.err
    assert "examples: /stage=/rehearsal" in odd.err
