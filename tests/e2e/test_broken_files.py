"""Whatever stands where the journal should be: the router starts or says why not, and overwrites nothing."""

import asyncio
import random
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.e2e.broken_files import AFTER_A_KILL, AFTER_CLOSING, ENTRIES, make_broken, make_good
from tests.e2e.conftest import Dial
from tests.e2e.router_process import JOURNAL_FILE, LISTENING, look_until

NAMES = sorted(AFTER_CLOSING | AFTER_A_KILL)
ONCE_CHANGED = ("half a database and its log", "log of another")
SAMPLE = sorted({*ONCE_CHANGED, *random.Random("broken files").sample(NAMES, 8)})
POLICIES = ("stop", "serve")


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """The journals from which all are made."""
    folder = tmp_path_factory.mktemp("good")
    asyncio.run(make_good(folder))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of every file that belongs to somebody; locks and shared memory are of no worth."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".txt")
    return {path.name: path.read_bytes() for path in paths if not path.name.endswith(("-shm", ".lock"))}


def readable_rows(folder: Path, base: str) -> set[tuple[object, ...]]:
    """Every entry that can be had from a database, read in a copy of it, one by one where need be."""
    found: set[tuple[object, ...]] = set()
    if not (folder / base).is_file():
        return found
    with TemporaryDirectory() as elsewhere:
        for suffix in ("", "-wal"):
            if (folder / f"{base}{suffix}").is_file():
                shutil.copy(folder / f"{base}{suffix}", elsewhere)
        with closing(sqlite3.connect(Path(elsewhere) / base)) as database:
            database.text_factory = bytes
            for seq in range(1, ENTRIES + 1):
                with suppress(sqlite3.DatabaseError):
                    found.update(database.execute("SELECT * FROM entry WHERE seq = ?", (seq,)).fetchall())
    return found


async def check(good: Path, make_router, dial: Dial, name: str, policy: str) -> None:
    """Start a router on one of them, use it if it listens, and look what became of the file."""
    router = make_router("--on-journal-error", policy, folder=f"{name} {policy}".replace(" ", "-"))
    make_broken(good, router.folder, name)
    before = contents(router.folder)
    rows = readable_rows(router.folder, JOURNAL_FILE)
    router.launch()
    look_until(lambda: LISTENING.search(router.output) or not router.is_running)
    if not LISTENING.search(router.output):
        assert await router.ended() == 3, router.log
        assert "the journal cannot be opened" in router.log
        assert (router.folder / JOURNAL_FILE).resolve().name in router.log
        was_opened = rows and rows <= readable_rows(router.folder, JOURNAL_FILE)
        assert was_opened or before.items() <= contents(router.folder).items(), "refused, and changed"
        return
    router.port = int(LISTENING.search(router.output)[1])
    peer = await dial(router)
    await peer.set("/after", name, qos=2)
    assert (await peer.get("/after")).value == name
    assert await router.stop() == 0
    bases = {JOURNAL_FILE, *(path.name for path in router.folder.glob("*.damaged-*Z"))}
    kept = set().union(*(readable_rows(router.folder, base) for base in bases))
    assert rows <= kept, f"{len(rows - kept)} entries that could be read are gone"


@pytest.mark.parametrize("name", SAMPLE)
async def test_a_broken_file_is_never_overwritten(good, make_router, dial: Dial, name: str):
    """Some of the collection, each under one of the policies."""
    await check(good, make_router, dial, name, random.Random(name).choice(POLICIES))


@pytest.mark.soak
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", NAMES)
async def test_no_broken_file_is_ever_overwritten(good, make_router, dial: Dial, name: str, policy: str):
    """The whole collection, under both."""
    await check(good, make_router, dial, name, policy)


def test_the_collection_is_large():
    """As many kinds of damage as the imagination had."""
    assert len(NAMES) >= 60
