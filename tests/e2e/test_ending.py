"""How a router ends and begins: in order, with everything accepted kept, and alone on its journal."""

import asyncio
import os
import signal

import pytest

from clasp_journal.opening import open_journal
from router.wire.messages import Ack, Hello, Subscribe, Welcome
from tests.e2e.conftest import Dial
from tests.e2e.past import read_past
from tests.e2e.peer import Peer, make_set, packed_all
from tests.e2e.router_process import JOURNAL_FILE, RouterProcess

MANY = 5_000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_in_order(router: RouterProcess, dial: Dial, number: signal.Signals):
    """Clients are told 1001, the exit code is 0, and a snapshot of the last state lies in the journal."""
    peers = [await dial(router, f"peer {n}") for n in range(3)]
    for revision, peer in enumerate(peers, start=1):
        assert (await peer.set("/last", revision)).revision == revision
    journal_pid = router.journal_pid()
    router.send(number)
    for peer in peers:
        assert (await peer.ends()).code == 1001
    assert await router.ended() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(journal_pid, 0)
    async with await open_journal(f"sqlite:{router.folder / JOURNAL_FILE}") as journal:
        snapshot = await journal.load_snapshot()
    assert snapshot.at_seq == 3
    assert [(param.address, param.value, param.revision) for param in snapshot.params] == [("/last", 3, 3)]
    assert "ERROR" not in router.log


async def test_signals_to_the_whole_group_end_it_in_order_too(router: RouterProcess, dial: Dial):
    """A terminal's Ctrl-C reaches the journal's process as well; that one goes on until all is committed."""
    peer = await dial(router)
    await peer.set("/before", 1)
    os.kill(router.journal_pid(), signal.SIGINT)
    os.kill(router.journal_pid(), signal.SIGTERM)
    assert (await peer.set("/after", 1)).revision == 1
    assert await router.stop() == 0
    await router.start()
    assert (await dial(router)).params.keys() == {"/before", "/after"}


async def test_nobody_can_keep_it_from_ending(router: RouterProcess, dial: Dial):
    """One who does not read what waits for it, one who does not say HELLO, one with half a message."""
    writer = await dial(router)
    stuck = await dial(router, "stuck", buffer_bytes=16 * 1024)
    await stuck.say(Subscribe(1, "/**"))
    await stuck.hears_nothing()
    silent, halting = await Peer.dial(router.port), await dial(router)
    await halting.say_bytes(packed_all([make_set("/half", 1)])[:-1])
    for number in range(200):
        await writer.set("/much", [number, "x" * 50_000])
    assert await router.stop() == 0
    assert (await writer.ends()).code == 1001
    silent.hang_up()


async def test_what_was_accepted_without_an_ack_is_kept_too(router: RouterProcess, dial: Dial):
    """Five thousand SETs with QoS 0, accepted and then SIGTERM at once: the journal has them all."""
    peer = await dial(router)
    await peer.say_bytes(packed_all(make_set(f"/quick/{n % 100}", n) for n in range(MANY)))
    await peer.hears_nothing()
    assert await router.stop() == 0
    await router.start()
    past = await read_past(await dial(router))
    assert [entry.value for entry in past.entries] == list(range(MANY))


async def test_the_process_of_the_journal_may_die_alone(router: RouterProcess, dial: Dial):
    """It is started again, nothing accepted is missing, and sessions stay where they are."""
    peer = await dial(router)
    await peer.set("/before", 1)
    first = router.journal_pid()
    os.kill(first, signal.SIGKILL)
    assert (await set_at_last(peer, "/after")).revision == 1
    await router.until_ready()
    assert router.journal_pid() != first
    past = await read_past(peer)
    assert [entry.address for entry in past.entries] == ["/before", "/after"]


async def set_at_last(peer: Peer, address: str) -> Ack:
    """SET until it is accepted."""
    while True:
        await peer.say(make_set(address, 1), qos=1)
        answer = (await peer.hear_any()).message
        if isinstance(answer, Ack):
            return answer
        assert answer.code == 500


async def test_a_second_router_waits_for_the_journal_and_says_who_has_it(
    router: RouterProcess, dial: Dial, make_router
):
    """Its port answers, it is not ready, HELLOs wait; when the first ends, it takes over and lets them in."""
    await (await dial(router)).set("/handed/over", 1)
    second = make_router("--journal-wait", "1h")
    second.launch()
    await second.until_logged("waiting for the journal")
    assert str(router.journal_pid()) in second.log
    assert f"ws://127.0.0.1:{router.port}" in second.log
    assert await second.probe("/healthz") == (200, b"ok\n")
    assert (await second.probe("/readyz"))[0] == 503
    early = await Peer.dial(second.port)
    await early.say(Hello("early"))
    welcome = asyncio.create_task(early.hear(Welcome))
    assert await router.stop() == 0
    assert (await welcome).session
    await second.until_ready()
    assert (await dial(second)).params.keys() == {"/handed/over"}
    early.hang_up()


async def test_who_waits_for_the_journal_can_be_told_to_end(router: RouterProcess, dial: Dial, make_router):
    """A signal is heeded while the router begins, too: exit code 0, and the other one notices nothing."""
    second = make_router("--journal-wait", "1h")
    second.launch()
    await second.until_logged("waiting for the journal")
    assert await second.stop() == 0
    assert (await (await dial(router)).set("/still/here", 1)).revision == 1


async def test_a_second_router_gives_up_in_the_end(router: RouterProcess, make_router):
    """A journal has one writer: exit code 3, and a line that names the other."""
    second = make_router("--journal-wait", "250ms")
    second.launch()
    assert await second.ended() == 3
    assert "waiting for the journal, up to 0.25 s: " in second.log
    *_, last = second.log.splitlines()
    assert "the journal cannot be opened" in last
    assert str(router.journal_pid()) in last
    assert f"ws://127.0.0.1:{router.port}" in last
