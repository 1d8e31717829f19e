"""The head of a request, and what it gets: a WebSocket, a plain HTTP answer, or a refusal. Pure.

Laws: any head gets one of the three; the rules of the upgrade are those of the `ServerProtocol` of
`websockets`, with any path, the subprotocol `clasp` echoed when offered and never required, extensions
(compression) declined. Every plain answer ends its connection.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import NamedTuple

from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

HEAD_MAX_BYTES = 8_192
HEAD_END = b"\r\n\r\n"
SUBPROTOCOL = Subprotocol("clasp")
PLAIN_METHODS = ("GET", "HEAD", "POST", "OPTIONS")

_REQUEST_LINE = re.compile(rb"([A-Z]{1,20}) ([\x21-\x7e]+) HTTP/1\.[01]")

# The library tells of every connection at level INFO; the log of the router has its own words for that.
_library_log = logging.getLogger("router.handshake")
_library_log.setLevel(logging.WARNING)


class Accepted(NamedTuple):
    """The upgrade is granted."""

    response: bytes
    origin: str | None


class Plain(NamedTuple):
    """A request without upgrade, for the host to answer. The path comes without its query."""

    method: str
    path: str


class Refused(NamedTuple):
    """Neither of the two."""

    response: bytes


def read_head(head: bytes) -> Accepted | Plain | Refused:
    """Judge a whole request head, its blank line included."""
    request_line, *header_lines = head.removesuffix(HEAD_END).split(b"\r\n")
    request = _REQUEST_LINE.fullmatch(request_line)
    if request is None or not all(b":" in line for line in header_lines):
        return Refused(refusal(HTTPStatus.BAD_REQUEST))
    method, path = request[1].decode(), request[2].decode()
    if method == "GET" and _asks_for_websocket(header_lines):
        return _upgrade(head)
    if method not in PLAIN_METHODS:
        return Refused(refusal(HTTPStatus.METHOD_NOT_ALLOWED, f"Allow: {', '.join(PLAIN_METHODS)}\r\n"))
    return Plain(method, path.partition("?")[0])


def plain_response(method: str, status: int, content_type: str, body: bytes) -> bytes:
    """An answer to a plain request; HEAD gets everything but the body."""
    return _response(status, f"Content-Type: {content_type}\r\n", body, with_body=method != "HEAD")


def refusal(status: HTTPStatus, headers: str = "") -> bytes:
    """An answer that is only a status, said in its own words."""
    return _response(status, f"Content-Type: text/plain\r\n{headers}", f"{status.phrase}\n".encode())


def _response(status: int, headers: str, body: bytes, *, with_body: bool = True) -> bytes:
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{headers}"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("latin-1") + (body if with_body else b"")


def _asks_for_websocket(header_lines: list[bytes]) -> bool:
    """Other upgrades, as to HTTP/2, may be ignored; a request with one is a plain one."""
    fields = (line.lower().partition(b":") for line in header_lines)
    return any(name.strip() == b"upgrade" and b"websocket" in value for name, _, value in fields)


def _upgrade(head: bytes) -> Accepted | Refused:
    protocol = ServerProtocol(select_subprotocol=_choose_subprotocol, logger=_library_log)
    protocol.receive_data(head)
    for event in protocol.events_received():
        if isinstance(event, Request):
            response = protocol.accept(event)
            protocol.send_response(response)
            if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
                return Accepted(b"".join(protocol.data_to_send()), protocol.origin)
    return Refused(b"".join(protocol.data_to_send()) or refusal(HTTPStatus.BAD_REQUEST))


def _choose_subprotocol(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return SUBPROTOCOL if SUBPROTOCOL in offered else None
