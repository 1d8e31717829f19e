"""Whatever is spoken, every message that is sent is delivered and counted, once."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.load.form import Load
from bench.load.run import Run
from bench.servers.ours import clasp_router, idiomatic_relay
from bench.servers.peers import PEERS
from bench.servers.server import Server
from bench.speech import SPEECHES, speech
from bench.speech.websocket import masked, unwrapping
from router.wire.packing import pack

READERS, GROUPS = 4, 2
MANY = Load("", readers=READERS, groups=GROUPS, window=50, seconds=0.05)
ONE_BY_ONE = replace(MANY, window=1)
AT_A_RATE = replace(MANY, rate_per_s=2_000.0)
OURS = ["clasp set", "clasp set, fsync", "clasp publish", "clasp publish, fsync"]
BROKERS = [
    pytest.param(peer, port, spoken, id=label)
    for peer in PEERS
    for label, port, spoken in (*peer.doors, *peer.keeping_doors)
]


def check(server: Server, port: int, load: Load) -> None:
    """Run a short load with groups in turns, and count what came of it."""
    load = replace(load, port=server.ports[port])
    run = Run(load)
    result = run.go()
    run.close()
    assert result.missing == 0
    assert result.sent > 1
    assert result.delivered == result.sent * load.copies
    assert result.acknowledged == (result.sent if speech(load.speech).ack_units else 0)
    assert bool(result.p50_us) == bool(load.rate_per_s)


def test_our_router_is_counted_right():
    """As fast as it goes, one by one, and at a rate, when every message is timed."""
    with clasp_router("sqlite") as router:
        for spoken in OURS:
            for load in MANY, ONE_BY_ONE, AT_A_RATE:
                check(router, 0, replace(load, speech=spoken))


def test_the_relay_is_counted_right():
    """It speaks what the load needs."""
    with idiomatic_relay() as relay:
        for spoken in "clasp set", "clasp publish":
            check(relay, 0, replace(MANY, speech=spoken))


@pytest.mark.parametrize(("peer", "port", "spoken"), BROKERS)
def test_every_door_of_a_broker_is_counted_right(peer, port, spoken):
    """Each is started, spoken to and stopped; one that is not here is named."""
    if peer.found() is None:
        pytest.skip(f"{peer.program} is not installed: make bench-peers says how to get it")
    readers = 0 if spoken == "redis stream" else READERS
    for load in MANY, ONE_BY_ONE:
        # A server of its own for each: what the one before retained would be delivered, too.
        with peer.server() as server:
            check(server, port, replace(load, speech=spoken, readers=readers))


@pytest.mark.parametrize("name", SPEECHES)
def test_all_frames_of_a_speech_have_one_size(name):
    """Else bytes would not say how many there were."""
    assert len({len(frame) for frame in speech(name, GROUPS).frames}) == 1


@pytest.mark.property
@given(payloads=st.lists(st.binary(max_size=300), max_size=6), cuts=st.lists(st.integers(1, 40), min_size=1))
def test_websocket_frames_come_off_however_they_are_cut(payloads, cuts):
    """What is left is the payload, all of it, in order."""
    stream = b"".join(map(pack, payloads))
    unwrap, came, at = unwrapping(), b"", 0
    while at < len(stream):
        size = cuts[at % len(cuts)]
        came += unwrap(stream[at : at + size])
        at += size
    assert came == b"".join(payloads)


def test_what_a_client_sends_is_masked():
    """With zeros: the payload can be read in it."""
    assert masked(b"abc") == b"\x82\x83\0\0\0\0abc"
    assert masked(b"x" * 200)[:4] == b"\x82\xfe\x00\xc8"
