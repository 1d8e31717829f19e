"""A router with a mirror: every acknowledged SET is on both sides, and the journal can be lost."""

from pathlib import Path

from clasp_journal.mirror import parity, rebuild, verify_chain
from clasp_journal.sqlite.journal import SqliteJournal
from tests.e2e.peer import Peer

FLAGS = (
    "--journal",
    "show.db",
    "--mirror",
    "show.jsonl",
    "--mirror-size",
    "20KB",
    "--mirror-compress",
    "gzip",
)
SETS = 150


async def agree(folder: Path) -> int:
    """Both sides have the same; returns how many entries."""
    chain = verify_chain(folder / "show.jsonl")
    assert chain.is_intact, chain.broken
    async with SqliteJournal(folder / "show.db", read_only=True) as journal:
        assert (await parity(journal, folder / "show.jsonl")).is_consistent
    return chain.entries


async def test_a_router_and_its_mirror_survive_what_ends_them(make_router, tmp_path) -> None:
    """Killed and stopped and started again; then the database is lost, and comes back from the mirror."""
    router = await make_router(*FLAGS).start()
    assert "; mirror: show.jsonl;" in router.output
    acknowledged = 0
    for end in (router.kill_all, router.stop):
        peer = await Peer.connect(router.port)
        for number in range(SETS):
            await peer.set(f"/light/{number % 7}", number, qos=1 + number % 2)
            acknowledged += 1
        peer.hang_up()
        await end()
        assert await agree(tmp_path) >= acknowledged
        await router.start()
    assert list(tmp_path.glob("show.jsonl.000001.gz"))
    peer = await Peer.connect(router.port)
    revision = (await peer.set("/light/0", "last")).revision
    peer.hang_up()
    await router.stop()
    for left in tmp_path.glob("show.db*"):
        left.unlink()
    async with SqliteJournal(tmp_path / "show.db") as journal:
        assert (await rebuild(journal, tmp_path / "show.jsonl")).parity.is_consistent
    await router.start()
    peer = await Peer.connect(router.port)
    assert (await peer.get("/light/0")).value == "last"
    assert (await peer.set("/light/0", "later")).revision == revision + 1
    peer.hang_up()
    await router.stop()
    assert await agree(tmp_path) > acknowledged


async def test_a_mirror_that_cannot_be_trusted_is_not_written(make_router, tmp_path) -> None:
    """The router does not start, and says which line."""
    router = await make_router(*FLAGS).start()
    peer = await Peer.connect(router.port)
    await peer.set("/light/0", 1)
    peer.hang_up()
    await router.stop()
    mirror = tmp_path / "show.jsonl"
    mirror.write_bytes(mirror.read_bytes().replace(b"/light/0", b"/light/1"))
    router.launch()
    assert await router.ended()
    assert "line 2 of the mirror" in router.log
