"""The head of a request, and what it gets: a WebSocket, a plain HTTP answer, or a refusal. Pure.

Laws: any head gets one of the three; whom the guard does not let in is told so and nothing else; the rules
of the upgrade are those of the `ServerProtocol` of `websockets`, with any path, the subprotocol `clasp`
echoed when offered and never required, extensions (compression) declined. Every plain answer ends its
connection. What stands in a head is repeated to nobody: there may be a secret in it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import NamedTuple

from websockets.http11 import Request as UpgradeRequest
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from router.runtime.door import Request
from router.transports.guard import Caller, Guard
from router.transports.remote import Remote

HEAD_MAX_BYTES = 8_192
HEAD_END = b"\r\n\r\n"
SUBPROTOCOL = Subprotocol("clasp")
PLAIN_METHODS = ("GET", "HEAD", "POST", "OPTIONS")

_ONCE = ("host", "origin", "authorization")
"""Headers that may not be there twice: which of them is meant, two readers may see differently."""
_REQUEST_LINE = re.compile(rb"([A-Z]{1,20}) ([\x21-\x7e]+) HTTP/1\.[01]")
_HEADER_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*")
"""As RFC 9112 has it, without folded lines or spaces before the colon: who stands between may read them in
another way, and then lets another request pass than is answered."""

# The library tells of every connection at level INFO; the log of the router has its own words for that.
_library_log = logging.getLogger("router.handshake")
_library_log.setLevel(logging.WARNING)


class Accepted(NamedTuple):
    """The upgrade is granted."""

    response: bytes
    origin: str | None


class Plain(NamedTuple):
    """A request without upgrade, for the host to answer."""

    request: Request


class Refused(NamedTuple):
    """Neither an upgrade nor a plain request that is answered: a refusal."""

    response: bytes
    reason: str | None = None
    """For the log, if the guard refused."""


def read_head(head: bytes, guard: Guard, remote: Remote) -> Accepted | Plain | Refused:
    """Judge a whole request head, its blank line included."""
    request_line, *header_lines = head.removesuffix(HEAD_END).split(b"\r\n")
    request = _REQUEST_LINE.fullmatch(request_line)
    if request is None or not all(map(_HEADER_LINE.fullmatch, header_lines)):
        return Refused(refusal(HTTPStatus.BAD_REQUEST))
    fields = _fields(header_lines)
    if any(len(fields.get(name, ())) > 1 for name in _ONCE):
        return Refused(refusal(HTTPStatus.BAD_REQUEST))
    caller = Caller(_first(fields, "host"), _first(fields, "origin"), remote.is_loopback)
    method, path = request[1].decode(), request[2].decode()
    is_upgrade = method == "GET" and any("websocket" in value.lower() for value in fields.get("upgrade", ()))
    fault = guard.fault_of_upgrade(caller) if is_upgrade else guard.fault_of_request(caller)
    if fault is not None:
        return Refused(_forbidden(fault), fault)
    if is_upgrade:
        return _upgrade(head)
    if method not in PLAIN_METHODS:
        return Refused(refusal(HTTPStatus.METHOD_NOT_ALLOWED, f"Allow: {', '.join(PLAIN_METHODS)}\r\n"))
    bearer = _bearer(_first(fields, "authorization"))
    return Plain(Request(method, path.partition("?")[0], bearer, remote.host, remote.is_loopback))


def plain_response(method: str, status: int, content_type: str, body: bytes) -> bytes:
    """An answer to a plain request; HEAD gets everything but the body."""
    asked = "WWW-Authenticate: Bearer\r\n" if status == HTTPStatus.UNAUTHORIZED else ""
    return _response(status, f"Content-Type: {content_type}\r\n{asked}", body, with_body=method != "HEAD")


def refusal(status: HTTPStatus, headers: str = "") -> bytes:
    """An answer that is only a status, said in its own words."""
    return _response(status, f"Content-Type: text/plain\r\n{headers}", f"{status.phrase}\n".encode())


def _response(status: int, headers: str, body: bytes, *, with_body: bool = True) -> bytes:
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{headers}"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("latin-1") + (body if with_body else b"")


def _forbidden(reason: str) -> bytes:
    return _response(HTTPStatus.FORBIDDEN, "Content-Type: text/plain\r\n", f"{reason}\n".encode())


def _fields(header_lines: list[bytes]) -> dict[str, list[str]]:
    """The values of each header, by its name in lower case."""
    fields: dict[str, list[str]] = {}
    for line in header_lines:
        name, _, value = line.decode("latin-1").partition(":")
        fields.setdefault(name.lower(), []).append(value.strip())
    return fields


def _first(fields: dict[str, list[str]], name: str) -> str | None:
    return fields.get(name, [None])[0]


def _bearer(authorization: str | None) -> str | None:
    scheme, _, token = (authorization or "").partition(" ")
    # Tokens are any text; beyond ASCII that is UTF-8, here as in HELLO.
    told = token.strip().encode("latin-1").decode(errors="replace")
    return told or None if scheme.lower() == "bearer" else None


def _upgrade(head: bytes) -> Accepted | Refused:
    protocol = ServerProtocol(select_subprotocol=_choose_subprotocol, logger=_library_log)
    try:
        return _answer_upgrade(protocol, head)
    finally:
        # Parts of it hold the whole, so that it would stay until somebody collects garbage.
        vars(protocol).clear()


def _answer_upgrade(protocol: ServerProtocol, head: bytes) -> Accepted | Refused:
    protocol.receive_data(head)
    for event in protocol.events_received():
        if isinstance(event, UpgradeRequest):
            response = protocol.accept(event)
            protocol.send_response(response)
            if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
                return Accepted(b"".join(protocol.data_to_send()), protocol.origin)
            # The library repeats headers in its text, and there may be a secret in one.
            needs = "Upgrade: websocket\r\n" if "Upgrade" in response.headers else ""
            return Refused(refusal(HTTPStatus(response.status_code), needs))
    return Refused(refusal(HTTPStatus.BAD_REQUEST))


def _choose_subprotocol(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return SUBPROTOCOL if SUBPROTOCOL in offered else None
