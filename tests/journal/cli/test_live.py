"""The tool and a running router: the same answers over its URL as from its file, and what is written."""

import asyncio
import json
import shutil

import pytest

from clasp_journal.cli.exits import Exit
from router.client import connect
from tests.interop.router_process import running_router
from tests.journal.cli import evening
from tests.journal.cli.evening import FILE, lines
from tests.journal.cli.tool import PATIENCE_S, run, run_all, start

ALL = evening.entries()


@pytest.fixture
async def router(recorded, tmp_path):
    """A router that continues the evening."""
    shutil.copy(recorded / FILE, tmp_path / "journal.db")
    async with running_router(tmp_path) as running:
        yield running


CALLS = (
    ("query", "-n", "7"),
    ("query", "-n", "all", "/lights/**", "/meters/**", "-x", "/lights/2/*", "-r"),
    ("query", "-n", "3", "--where", "value == steady"),
    ("query", "-n", "all", "--changed", "/lights/2/level"),
    ("query", "-n", "all", "--op", "mark", "--op", "expire"),
    ("query", "-S", "2025-11-21T20:00:30", "-U", "seq:60", "--type", "param", "--author", "desk"),
    ("around", "mark:doors-open", "--span", "2s"),
    ("history", "/lights/1/level", "-n", "4"),
    ("since", "90"),
    ("state",),
    ("state", "/lights/**", "--at", "mark:doors-open"),
    ("state", "--at", "seq:40", "--tree"),
    ("get", "/lights/2/level", "--at", "2025-11-21T20:00:45"),
    ("get", "/lights/2/level"),
    ("who",),
    ("top", "--by", "bytes"),
    ("marks",),
    ("query", "/none", "--exit-empty"),
    ("query", "no-pattern"),
    ("state", "--at", "seq:9999"),
)


async def test_a_router_and_its_file_answer_alike(router, tmp_path):
    """Beside the running router and through it, every reading verb says the same with the same code."""
    for call in CALLS:
        file, live = await run_all(
            tmp_path, (*call, "-q", "--db", "journal.db"), (*call, "-q", "--url", router.url)
        )
        assert live == file, call


async def test_stats_of_a_router_are_those_of_its_file(router, tmp_path):
    """But for where they come from and how many bytes they take."""
    file, live = await run_all(tmp_path, ("stats", "--db", "journal.db"), ("stats", "--url", router.url))
    [there], [here] = lines(live.out), lines(file.out)
    assert there.pop("journal") == router.url
    assert here.pop("journal") == "journal.db"
    assert here.pop("size_bytes") > 0
    assert there == here
    assert live.err == f"journal: {router.url} (--url)\n"


@pytest.mark.parametrize("way", ["--db", "--url"])
async def test_tail_goes_on_with_what_is_written(router, tmp_path, way):
    """First the newest that match, then each one as it comes."""
    place = router.url if way == "--url" else "journal.db"
    tail = await start(tmp_path, "tail", "/lights/**", "-n", "2", "--changed", "-q", way, place)
    async with asyncio.timeout(PATIENCE_S):
        first = [json.loads(await tail.stdout.readline()) for _ in range(2)]
        async with connect(router.url) as client:
            for address, value in (("/lights/1/level", 5), ("/meters/x", 1), ("/lights/1/level", 5)):
                await client.set(address, value)
            await client.set("/lights/9/level", "new")
        then = [json.loads(await tail.stdout.readline()) for _ in range(2)]
        tail.terminate()
        await tail.communicate()
    assert [record["op"] for record in first] == ["set", "expire"]
    assert [(record["address"], record["value"]) for record in then] == [
        ("/lights/1/level", 5),
        ("/lights/9/level", "new"),
    ]


@pytest.mark.parametrize("way", ["--db", "--url"])
async def test_tail_survives_a_restart_of_the_router(router, tmp_path, way):
    """Nothing is shown twice and nothing is left out."""
    place = router.url if way == "--url" else "journal.db"
    tail = await start(tmp_path, "tail", "-n", "1", "-q", way, place, "--format", "%v")
    async with asyncio.timeout(PATIENCE_S):
        await tail.stdout.readline()
        async with connect(router.url) as client:
            for value in range(3):
                await client.set("/fresh/a", value)
        before = [await tail.stdout.readline() for _ in range(3)]
        await router.stop()
        await router.start()
        async with connect(router.url) as client:
            for value in range(3, 6):
                await client.set("/fresh/a", value)
        after = [await tail.stdout.readline() for _ in range(3)]
        tail.terminate()
        await tail.communicate()
    assert [int(line) for line in before + after] == list(range(6))


async def test_a_router_without_a_journal_is_told_apart(tmp_path):
    """It can be reached, and has nothing to say about the past."""
    async with running_router(tmp_path, "--journal", "none") as router:
        result = await run(tmp_path, "query", "--url", router.url)
    assert (result.code, result.out) == (Exit.UNREACHABLE, "")
    assert "this router does not offer the journal extension" in result.err
