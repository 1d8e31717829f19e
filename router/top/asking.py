"""Asking a router for `/sessions`, over the port that its clients use.

Law: an answer is an overview or a `NoAnswer` that says why there is none; the token is in no text.
"""

from __future__ import annotations

import http.client
import json
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from router.client.tls import client_context
from router.top.plain import plain

PATH = "/sessions"
TIMEOUT_S = 5.0
ANSWER_MAX_BYTES = 16 * 1024 * 1024

_SECURE = {"ws": False, "http": False, "wss": True, "https": True}
_NOT_ALLOWED = (401, 403, 429)


class NoAnswer(Exception):
    """There is no overview to be had; `is_forbidden` tells that trying again is of no use."""

    def __init__(self, reason: str, *, is_forbidden: bool = False) -> None:
        super().__init__(plain(reason))
        self.is_forbidden = is_forbidden


class NoUrl(ValueError):
    """The text names no router."""


class Asked(NamedTuple):
    """Whom to ask, and how."""

    url: str
    token: str | None = None
    ca: str | None = None
    cert: str | None = None
    key: str | None = None

    def overview(self) -> dict[str, Any]:
        """How the router is now; `WrongFiles` if TLS has none to be made with, `NoUrl` if it has no URL."""
        connection = self._connection()
        try:
            return self._read(connection)
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise NoAnswer(f"{self.url} does not answer: {reason}") from error

    def _read(self, connection: http.client.HTTPConnection) -> dict[str, Any]:
        try:
            connection.request("GET", PATH, headers=self._headers())
            answer = connection.getresponse()
            body = answer.read(ANSWER_MAX_BYTES)
        finally:
            connection.close()
        if answer.status in _NOT_ALLOWED:
            said = body.decode(errors="replace").strip()
            raise NoAnswer(f"{self.url} does not show that: {said}", is_forbidden=True)
        found = json.loads(body)
        if answer.status != http.client.OK or not isinstance(found, dict) or "clients" not in found:
            raise NoAnswer(f"{self.url} answers, but is no router that shows its sessions")
        return found

    def _headers(self) -> dict[str, bytes]:
        if self.token is None:
            return {}
        if not self.token.isprintable():
            # The library would say so, too, and repeat it.
            raise NoAnswer(
                "the token has a character that does not print, at its end perhaps", is_forbidden=True
            )
        return {"Authorization": f"Bearer {self.token}".encode()}

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        secure = _SECURE.get(parts.scheme)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host = None
        if secure is None or host is None:
            raise NoUrl(f"{self.url!r} is no URL of a router; an example: ws://127.0.0.1:7330")
        if not secure:
            return http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        context = client_context(self.ca, self.cert, self.key)
        return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=context)
