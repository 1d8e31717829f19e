"""Whoever knocks without coming in: probes and half-open connections; and what the operator sees."""

import asyncio
import http.client

import pytest

from router.wire.messages import Set, Subscribe
from tests.e2e.conftest import Dial
from tests.e2e.router_process import RouterProcess

HALF_OPEN = 200


async def test_half_open_connections_disturb_nobody(shared_router: RouterProcess, dial: Dial):
    """Two hundred that connect and say nothing, or half a request: others come in and are served."""
    before = await dial(shared_router)
    await before.say(Subscribe(1, "/half/**"))
    silent = [await asyncio.open_connection("127.0.0.1", shared_router.port) for _ in range(HALF_OPEN)]
    for _, writer in silent[::2]:
        writer.write(b"GET / HTTP/1.1\r\nHost: ")
    after = await dial(shared_router)
    assert (await after.set("/half/open", 1)).revision == 1
    assert (await before.hear(Set)).value == 1
    assert (await shared_router.probe("/healthz"))[0] == 200
    for _, writer in silent:
        writer.close()


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/healthz", "/any/thing?at=all"])
async def test_plain_http_gets_a_sign_of_life(shared_router: RouterProcess, method: str, path: str):
    """Clients probe the port before they upgrade; the answer is short, and the connection ends."""
    assert await shared_router.probe(path, method) == (200, b"ok\n")


async def test_a_head_request_gets_no_body(shared_router: RouterProcess):
    """The head alone, as HTTP wants it."""
    assert await shared_router.probe("/", "HEAD") == (200, b"")


async def test_an_ordinary_http_client_understands_the_answer(shared_router: RouterProcess):
    """Status, type and length are such that a client library is content."""

    def ask() -> tuple[int, str | None, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", shared_router.port, timeout=30)
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        found = (answer.status, answer.headers.get_content_type(), answer.read())
        connection.close()
        return found

    assert await asyncio.to_thread(ask) == (200, "text/plain", b"ready\n")


async def test_the_operator_is_told_what_runs_and_where(shared_router: RouterProcess):
    """The first lines name the process, the journal and the address; the log has nothing to add."""
    lines = shared_router.output.splitlines()
    assert lines[0] == f"clasp-router, pid {shared_router.pid}"
    assert lines[-1] == f"listening on 127.0.0.1:{shared_router.port}"
    assert any("an ACK means committed" in line for line in lines)


async def test_a_port_that_is_taken_is_named(shared_router: RouterProcess, make_router):
    """A second router on the same port ends at once with an exit code of its own, and says why."""
    late = make_router()
    late.port = shared_router.port
    late.launch()
    assert await late.ended() == 3
    assert f"cannot listen on 127.0.0.1:{shared_router.port}" in late.log
