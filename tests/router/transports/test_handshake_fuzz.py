"""Any bytes in place of a request head: one of the three verdicts, and nothing of them is repeated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.transports.guard import Guard
from router.transports.handshake import HEAD_END, Accepted, Plain, Refused, read_head
from router.transports.remote import Remote

CANARY = b"cpsk_c0ffee"
HERE = Remote("127.0.0.1:5", "127.0.0.1", True, None)

lines = st.sampled_from(
    [
        *(b"Host: localhost", b"Host: rebound.example", b"host:", b"Host: [::1", b"HOST: 127.0.0.1:99999999"),
        *(
            b"Origin: null",
            b"Origin: http://localhost:1",
            b"Origin: http://" + CANARY,
            b"Origin: http://[",
            b"Origin:",
        ),
        *(b"Upgrade: websocket", b"Upgrade: h2c", b"Connection: Upgrade", b"Connection: close"),
        *(
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            b"Sec-WebSocket-Key: x",
            b"Sec-WebSocket-Version: 13",
        ),
        *(b"Sec-WebSocket-Protocol: clasp", b"Sec-WebSocket-Extensions: permessage-deflate"),
        *(b"Authorization: Bearer " + CANARY, b"Authorization: " + CANARY, b"Authorization: bearer  "),
        *(b"Sec-WebSocket-Key: " + CANARY, b"Sec-WebSocket-Version: " + CANARY, b"Connection: " + CANARY),
        *(b"Upgrade: websocket " + CANARY, b"Sec-WebSocket-Protocol: " + CANARY + b" ="),
        *(b"Cookie: " + CANARY, b": " + CANARY, CANARY + b": x", b" folded", b"\xff: \xfe", b""),
    ]
) | st.binary(max_size=30)
request_lines = st.sampled_from(
    [
        b"GET / HTTP/1.1",
        b"GET /?token=" + CANARY + b" HTTP/1.1",
        b"POST /metrics HTTP/1.0",
        b"PUT / HTTP/1.1",
        b"GET",
    ]
) | st.binary(max_size=30)


@pytest.mark.property
@given(request_lines, st.lists(lines, max_size=8), st.booleans())
def test_any_head_gets_a_verdict(request_line, header_lines, lets_all_in):
    """And what is answered is a whole response without any of the request in it."""
    guard = Guard(("*",), lets_programs_in=True) if lets_all_in else Guard()
    head = b"\r\n".join([request_line, *header_lines]) + HEAD_END
    verdict = read_head(head, guard, HERE)
    assert isinstance(verdict, Accepted | Plain | Refused)
    if not isinstance(verdict, Plain):
        assert verdict.response.startswith(b"HTTP/1.1 ")
        assert HEAD_END in verdict.response
        assert CANARY not in verdict.response
    if isinstance(verdict, Refused):
        assert verdict.reason is None or CANARY.decode() not in verdict.reason
