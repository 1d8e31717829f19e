"""A file that is no good journal: it is never overwritten, and the operator's policy decides the rest."""

import sqlite3
from pathlib import Path

import pytest

from tests.e2e.conftest import Dial
from tests.e2e.past import read_past
from tests.e2e.router_process import JOURNAL_FILE, RouterProcess

GARBAGE = b"this is no database, and it is somebody's only copy of something\n" * 1_000


def damage_header(path: Path) -> bytes:
    """Overwrite the beginning of a database, as a bad disk may; what is then in it."""
    content = bytearray(path.read_bytes())
    content[:512] = bytes(512)
    path.write_bytes(content)
    return bytes(content)


async def test_with_stop_a_file_that_is_no_journal_is_left_alone(make_router):
    """Exit code 3, a line that names the file, and not a byte of it is changed."""
    router = make_router()
    path = router.folder / JOURNAL_FILE
    path.write_bytes(GARBAGE)
    router.launch()
    assert await router.ended() == 3
    assert "the journal cannot be opened" in router.log
    assert JOURNAL_FILE in router.log
    assert path.read_bytes() == GARBAGE


@pytest.mark.parametrize("policy", ["stop", "serve"])
async def test_a_damaged_journal_is_refused_or_set_aside_and_never_overwritten(
    make_router, dial: Dial, policy: str
):
    """`serve` begins a new one in another epoch; the damaged bytes lie beside it under another name."""
    router = await make_router("--on-journal-error", policy).start()
    peer = await dial(router)
    await peer.set("/before", 1)
    epoch = (await read_past(peer)).epoch
    assert await router.stop() == 0
    damaged = damage_header(router.folder / JOURNAL_FILE)
    if policy == "stop":
        assert await router.launch().ended() == 3
        assert (router.folder / JOURNAL_FILE).read_bytes() == damaged
        return
    await router.start()
    peer = await dial(router)
    assert not peer.params
    await peer.set("/after", 1)
    past = await read_past(peer, after_seq=1, epoch=epoch)
    assert past.epoch != epoch
    assert past.incomplete
    assert "set aside" in router.log
    assert damaged in [path.read_bytes() for path in router.folder.iterdir() if path.name != JOURNAL_FILE]


@pytest.mark.parametrize("policy", ["stop", "serve"])
async def test_a_journal_of_a_newer_program_is_refused(
    router: RouterProcess, make_router, dial: Dial, policy: str
):
    """It is not damaged: whatever the policy, it stays where it is, and the router says why it ends."""
    await (await dial(router)).set("/kept", 1)
    assert await router.stop() == 0
    set_version(router.folder / JOURNAL_FILE, 9_999)
    late = make_router("--on-journal-error", policy).launch()
    assert await late.ended() == 3
    assert "newer" in late.log
    assert [path.name for path in router.folder.glob("*.db")] == [JOURNAL_FILE]


def set_version(path: Path, version: int) -> None:
    """Mark a database as one of another program."""
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA user_version = {version}")
    database.commit()
    database.close()
