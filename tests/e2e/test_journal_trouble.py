"""A journal that cannot write, and routers without one: nothing is lost in silence, nothing is claimed.

The disk is full for the process of the journal alone: its files may not take another byte, by a limit of the
kernel on that process.
"""

import os
import signal
import sqlite3

import pytest

from clasp_journal import value as values
from clasp_journal.cli.exits import Exit
from clasp_journal.entry import EntryKind
from router.wire.messages import Ack, Error, Ping, Pong, Publish, Replay, Set, Subscribe
from tests.e2e.conftest import Dial
from tests.e2e.past import read_past
from tests.e2e.peer import make_event, make_set
from tests.e2e.router_process import JOURNAL_FILE, RouterProcess
from tests.journal.cli.tool import run


async def test_with_stop_writes_are_refused_until_the_disk_is_well(router: RouterProcess, dial: Dial):
    """ERROR 500, nothing applied, /readyz false, one line in the log; reads live. It recovers by itself."""
    writer, reader = await dial(router, "writer"), await dial(router, "reader")
    await writer.set("/kept", "before")
    await reader.say(Subscribe(1, "/**"))
    await reader.fence()
    router.allow_writing(allowed=False)
    await writer.say(make_set("/kept", "during"), qos=1)
    assert (await reader.hear(Set)).value == "during"
    await router.until_unready()
    for refused in (make_set("/kept", "refused"), make_set("/new", 1), make_event("/event", 1)):
        await writer.say(refused, qos=2)
        error = await writer.hear(Error)
        assert (error.code, error.address) in ((500, None), (500, refused.address))
    await reader.hears_nothing()
    assert (await reader.get("/kept")).value == "during"
    assert await reader.get("/new") is None
    assert await router.probe("/healthz") == (200, b"ok\n")
    assert router.log.count("the journal cannot write") == 1
    router.allow_writing(allowed=True)
    assert await writer.hear(Ack) == Ack("/kept", 2)
    await router.until_ready()
    assert (await writer.set("/kept", "after")).revision == 3
    await router.kill_all()
    await router.start()
    peer = await dial(router)
    assert [entry.value for entry in (await read_past(peer)).entries] == ["before", "during", "after"]
    assert {a: (p.value, p.revision) for a, p in peer.params.items()} == {"/kept": ("after", 3)}


async def test_a_journal_that_was_moved_away_acknowledges_nothing_until_it_is_back(
    router: RouterProcess, dial: Dial
):
    """The process of the journal still has the file, but no router that starts later would find it."""
    writer = await dial(router)
    await writer.set("/a", 1)
    file = router.folder / JOURNAL_FILE
    elsewhere = file.rename(router.folder / "elsewhere")
    await writer.say(make_set("/a", 2), qos=1)
    await router.until_unready()
    assert b"moved, removed or replaced" in (await router.probe("/readyz"))[1]
    await writer.hears_nothing()
    elsewhere.rename(file)
    assert await writer.hear(Ack) == Ack("/a", 2)
    await router.kill_all()
    await router.start()
    assert (await dial(router)).params["/a"].value == 2


async def test_a_journal_that_stands_still_is_told_until_it_goes_on(router: RouterProcess, dial: Dial):
    """Without an error /readyz is false all the same; the log says it once, and once that it is over."""
    writer = await dial(router)
    os.kill(router.journal_pid(), signal.SIGSTOP)
    try:
        for number in range(3):
            await writer.say(make_set("/a", number), qos=1)
        await router.until_unready(b"the journal has not answered for ")
        assert (await writer.get("/a")).value == 2
        assert router.log.count("the journal has not answered for 1 s") == 1
        assert "the journal answers again" not in router.log
    finally:
        os.kill(router.journal_pid(), signal.SIGCONT)
    for revision in (1, 2, 3):
        assert await writer.hear(Ack) == Ack("/a", revision)
    await router.until_ready()
    assert "the journal answers again" in router.log


async def test_with_serve_writes_go_on_and_the_gap_is_told(make_router, dial: Dial):
    """Applied, delivered, an ERROR for the ACK; then a gap, which the tool tells; the state stays."""
    router = await make_router("--on-journal-error", "serve").start()
    writer, reader = await dial(router, "writer"), await dial(router, "reader")
    await writer.set("/served", "before")
    await reader.say(Subscribe(1, "/served"))
    await reader.fence()
    router.allow_writing(allowed=False)
    await writer.say(make_set("/served", "at the fault"), qos=1)
    await router.until_unready()
    for number in range(3):
        await writer.say(make_set("/served", number), qos=1)
        assert (await writer.hear(Error)).code == 500
    await writer.say(make_set("/served", "silent"), qos=0)
    await writer.hears_nothing()
    heard = [heard.message.value for heard in await reader.fence()]
    assert heard == ["at the fault", 0, 1, 2, "silent"]
    router.allow_writing(allowed=True)
    assert await writer.hear(Ack) == Ack("/served", 2)
    await router.until_ready()
    assert (await writer.set("/served", "after")).revision == 7
    past = await read_past(writer, journal_kinds=True)
    assert [entry.kind for entry in past.entries] == [
        EntryKind.SET,
        EntryKind.SET,
        EntryKind.GAP,
        EntryKind.SET,
    ]
    assert past.incomplete
    gap = values.decode(past.entries[2].details)
    assert gap["count"] == 4
    assert past.entries[1].timestamp <= gap["from"] <= gap["to"] <= past.entries[3].timestamp
    before = (await dial(router)).params
    for source in (("--db", JOURNAL_FILE), ("--url", f"ws://127.0.0.1:{router.port}")):
        asked = await run(router.folder, "query", "-n", "all", "-q", *source)
        assert (asked.code, len(asked.out.splitlines())) == (Exit.INCOMPLETE, 4)
        assert "incomplete: " in asked.err
    await router.kill_all()
    await router.start()
    assert (await dial(router)).params == before


async def test_the_state_after_a_gap_is_kept_even_if_nothing_follows(make_router, dial: Dial):
    """What was applied during the gap is in the snapshot behind it."""
    router = await make_router("--on-journal-error", "serve").start()
    writer = await dial(router)
    await writer.set("/old", 1)
    router.allow_writing(allowed=False)
    await writer.say(make_set("/old", 2), qos=1)
    await router.until_unready()
    await writer.say(make_set("/unrecorded", 1))
    await writer.hears_nothing()
    router.allow_writing(allowed=True)
    await writer.hear(Ack)
    await router.until_ready()
    assert await router.stop() == 0
    await router.start()
    params = (await dial(router)).params
    assert {address: (p.value, p.revision) for address, p in params.items()} == {
        "/old": (2, 2),
        "/unrecorded": (1, 1),
    }


async def test_another_program_that_locks_the_file_is_trouble_like_any_other(router, dial: Dial):
    """It is named, nothing more is accepted, and when it lets go all goes on."""
    writer = await dial(router)
    await writer.set("/a", 1)
    other = sqlite3.connect(router.folder / JOURNAL_FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    await writer.say(make_set("/a", 2), qos=1)
    await router.until_unready(b"another program is using it")
    await writer.say(make_set("/a", 3), qos=1)
    assert (await writer.hear(Error)).code == 500
    other.execute("ROLLBACK")
    other.close()
    assert await writer.hear(Ack) == Ack("/a", 2)
    await router.until_ready()


async def test_a_journal_in_memory_answers_and_says_when_it_has_forgotten(make_router, dial: Dial):
    """A ring: REPLAY and ENTRIES as ever; the oldest entries go, which is told. It ends with the router."""
    router = await make_router("--journal", "memory:100").start()
    assert "an ACK means applied" in router.output
    peer = await dial(router)
    for number in range(50):
        await peer.set("/ring", number)
    past = await read_past(peer)
    assert [entry.seq for entry in past.entries] == list(range(1, 51))
    assert not past.incomplete
    for number in range(50, 150):
        await peer.set("/ring", number)
    past = await read_past(peer, after_seq=10, epoch=past.epoch)
    assert past.incomplete
    assert past.entries[-1].seq == 150
    assert len(past.entries) <= 100
    await peer.say(Replay("/ring", limit=1), qos=1)
    assert (await peer.hear(Set)).value == past.entries[0].value
    await peer.hear(Ack)
    assert await router.stop() == 0
    await router.start()
    assert not (await dial(router)).params


@pytest.mark.parametrize("journal", ["none", "memory:"])
async def test_without_a_disk_there_is_no_process_and_no_file(make_router, dial: Dial, journal: str):
    """The router routes all the same, with every QoS."""
    router = await make_router("--journal", journal).start()
    writer, reader = await dial(router), await dial(router)
    await reader.say(Subscribe(1, "/**"))
    await reader.hears_nothing()
    for qos in (1, 2):
        assert (await writer.set("/a", qos, qos=qos)).revision == qos
    await writer.say(make_event("/e", 1), qos=2)
    assert await writer.hear(Ack) == Ack("/e")
    heard = [type(heard.message) for heard in await reader.fence()]
    assert heard == [Set, Set, Publish]
    await writer.say(Ping())
    await writer.hear(Pong)
    assert sorted(path.name for path in router.folder.iterdir()) == ["stderr.txt", "stdout.txt"]
