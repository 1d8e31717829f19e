"""Plain HTTP on the port: probes are answered by the desk, nonsense by the door, and then it closes."""

import pytest

from router.transports.handshake import HEAD_MAX_BYTES

CRLF = "\r\n"


def request(line, *headers):
    """A whole request head."""
    return (CRLF.join([line, "Host: localhost", *headers]) + CRLF * 2).encode()


async def ask(port, dial, data):
    """Status line, headers and body of the answer; the connection must end after it."""
    peer = await dial(port)
    peer.send(data)
    head, _, body = (await peer.rest()).partition(b"\r\n\r\n")
    status_line, *lines = head.decode().split(CRLF)
    return int(status_line.split()[1]), dict(line.split(": ", 1) for line in lines), body


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_probe_gets_the_answer_of_the_desk(serve, dial, method, version):
    """Status, type and body are the desk's, the query is not its business."""
    _, port = await serve()
    status, headers, body = await ask(port, dial, request(f"{method} /healthz?now HTTP/{version}"))
    assert (status, body) == (200, b"{}")
    assert headers == {"Content-Type": "application/json", "Content-Length": "2", "Connection": "close"}


async def test_a_head_request_gets_everything_but_the_body(serve, dial):
    """Its length is told all the same."""
    _, port = await serve()
    status, headers, body = await ask(port, dial, request("HEAD /healthz HTTP/1.1"))
    assert (status, headers["Content-Length"], body) == (200, "2", b"")


async def test_the_desk_says_what_it_does_not_know(serve, dial):
    """Any status is possible."""
    _, port = await serve()
    status, _, body = await ask(port, dial, request("GET /else HTTP/1.1"))
    assert (status, body) == (404, b"GET /else?\n")


async def test_a_body_nobody_asked_for_does_not_cost_the_answer(serve, dial):
    """What comes behind the head is thrown away, not reset."""
    _, port = await serve()
    data = request("POST /healthz HTTP/1.1", "Content-Length: 300000") + bytes(300_000)
    status, _, body = await ask(port, dial, data)
    assert (status, body) == (200, b"{}")


async def test_an_upgrade_to_something_else_is_a_plain_request(serve, dial):
    """curl offers HTTP/2 that way."""
    _, port = await serve()
    head = request("GET /healthz HTTP/1.1", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c")
    assert (await ask(port, dial, head))[0] == 200


WEBSOCKET = ("Upgrade: websocket", "Connection: Upgrade")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        pytest.param(request("DELETE /healthz HTTP/1.1"), 405, id="another method"),
        pytest.param(request("GET /healthz HTTP/2.0"), 400, id="another version"),
        pytest.param(request("GET  HTTP/1.1"), 400, id="no path"),
        pytest.param(request("GET /healthz HTTP/1.1", "no colon"), 400, id="no header"),
        pytest.param(request("GET /healthz HTTP/1.1", "Accept : x"), 400, id="a space before the colon"),
        pytest.param(request("GET /healthz HTTP/1.1", "A: b", " Origin: http://x"), 400, id="folded"),
        pytest.param(request("GET /healthz HTTP/1.1", "A: b\nOrigin: http://x"), 400, id="a bare newline"),
        pytest.param(request("GET /healthz HTTP/1.1", "A: b\rC: d"), 400, id="a bare return"),
        pytest.param(request("GET /healthz HTTP/1.1", "A: b\0"), 400, id="a zero"),
        pytest.param(request("GET /healthz HTTP/1.1", ": b"), 400, id="a header without a name"),
        pytest.param(
            request("GET / HTTP/1.1", *WEBSOCKET, "Transfer-Encoding: chunked"),
            400,
            id="WebSocket with a body",
        ),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01", 400, id="TLS"),
        pytest.param(b"hello?", 400, id="small talk"),
        pytest.param(request("GET / HTTP/1.1", *WEBSOCKET), 400, id="WebSocket without a key"),
        pytest.param(request("GET / HTTP/1.1", "Upgrade: websocket"), 426, id="upgrade without connection"),
        pytest.param(
            request("GET / HTTP/1.1", *WEBSOCKET, "Bad Name: x"),
            400,
            id="WebSocket with a header that is none",
        ),
        pytest.param(request("GET / HTTP/1.1", "X: " + "x" * HEAD_MAX_BYTES), 431, id="endless"),
    ],
)
async def test_what_is_no_proper_request_is_refused(serve, dial, head, status):
    """Each with the status that says why, and the desk hears nothing of it."""
    host, port = await serve()
    assert (await ask(port, dial, head))[0] == status
    assert not host.links


async def test_a_foreign_method_is_told_which_ones_there_are(serve, dial):
    """As RFC 9110 wants it."""
    _, port = await serve()
    _, headers, _ = await ask(port, dial, request("PUT / HTTP/1.1"))
    assert headers["Allow"] == "GET, HEAD, POST, OPTIONS"
