"""What the door does with those the guard or the roll does not let in, over real sockets."""

import socket
import time
from collections import Counter

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from router.core.limits import Limits
from router.transports.guard import Guard
from router.transports.listening import bind
from router.transports.patience import PatientClock
from router.transports.remote import remote_at
from router.transports.roll import Roll


async def test_a_foreign_page_is_told_why_it_gets_no_websocket(serve):
    """403, and the words are in the body."""
    host, port = await serve()
    with pytest.raises(InvalidStatus) as refusal:
        await connect(f"ws://localhost:{port}", origin="https://evil.example")
    assert refusal.value.response.status_code == 403
    assert b"--allow-origin" in refusal.value.response.body
    assert not host.links
    assert host.refused == {"origin_or_host": 1}


async def test_a_listed_page_gets_one(serve):
    """And so does a program of this machine."""
    _, port = await serve(guard=Guard(("https://desk.example",)))
    async with (
        connect(f"ws://localhost:{port}", origin="https://desk.example"),
        connect(f"ws://localhost:{port}"),
    ):
        pass


@pytest.mark.parametrize("path", ["/", "/healthz"])
async def test_a_name_that_is_not_ours_gets_nothing(serve, dial, path):
    """Not even a sign of life: a page that was rebound could read it."""
    _, port = await serve()
    peer = await dial(port)
    peer.send(f"GET {path} HTTP/1.1\r\nHost: rebound.example:{port}\r\n\r\n".encode())
    answer = await peer.rest()
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"rebound" not in answer


async def test_two_of_a_header_that_may_be_there_once_are_refused(serve, dial):
    """Else a proxy may read the one and the router the other."""
    _, port = await serve()
    peer = await dial(port)
    peer.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: rebound.example\r\n\r\n")
    assert (await peer.rest()).startswith(b"HTTP/1.1 400 ")


async def test_an_address_has_so_many_connections_and_no_more():
    """Whoever leaves makes room for one of the same address; those of this machine are not counted."""
    refused = Counter()
    roll = Roll(Limits(connections_per_address=2), 1.0, refused, PatientClock(time.monotonic, 1.0))
    first, second, third, other, ours = guests = [object() for _ in range(5)]
    assert roll.admit(first, "10.0.0.1")
    assert roll.admit(second, "10.0.0.1")
    roll.link(second)
    assert not roll.admit(third, "10.0.0.1")
    assert roll.admit(other, "10.0.0.2")
    assert roll.admit(ours, None)
    roll.strike(second)
    assert roll.admit(third, "10.0.0.1")
    for guest in guests:
        roll.strike(guest)
    assert await roll.until_empty(0)
    assert refused == {"connections_per_address": 1}


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:0:1::7", "2001:db8:0:1::/64"),
        ("2001:db8:0:1:ffff::8", "2001:db8:0:1::/64"),
        ("2001:db8:0:2::7", "2001:db8:0:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.9", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
    ],
)
def test_a_house_of_ipv6_is_counted_as_one_address(host, counted):
    """It has more of them than there are places; this machine is not counted, however it is written."""
    assert remote_at(host, 7330).counted == counted


async def test_one_more_from_another_machine_is_dropped(serve):
    """The others keep their connections."""
    address = own_address()
    host, port = await serve(listen="0.0.0.0", guard=Guard(lets_programs_in=True), connections_per_address=2)
    async with connect(f"ws://{address}:{port}") as one, connect(f"ws://{address}:{port}") as two:
        with pytest.raises((OSError, WebSocketException)):
            await connect(f"ws://{address}:{port}")
        await one.ping()
        await two.ping()
        assert len(host.links) == 2
        async with connect(f"ws://127.0.0.1:{port}"):
            pass


async def test_a_program_of_another_machine_needs_to_be_let_in(serve):
    """Without tokens and without an Origin, nobody knows who that is."""
    address = own_address()
    _, port = await serve(listen="0.0.0.0")
    with pytest.raises(InvalidStatus) as refusal:
        await connect(f"ws://{address}:{port}")
    assert b"--allow-native" in refusal.value.response.body


def own_address() -> str:
    """An address of this machine by which it is not itself; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(("192.0.2.1", 9))
            address = asking.getsockname()[0]
        except OSError:
            address = "127.0.0.1"
    return pytest.skip("this machine has no network") if address.startswith("127.") else address


async def test_a_name_with_several_addresses_has_one_port():
    """Here it is the name of all there are, of both families."""
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    listening = await bind("", 0)
    families = {one.family for one in listening}
    ports = {one.getsockname()[1] for one in listening}
    for one in listening:
        one.close()
    assert families == {socket.AF_INET, socket.AF_INET6}
    assert len(ports) == 1
