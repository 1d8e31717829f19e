"""The pages that show what is inside, and who may see them.

Laws: with tokens, a page needs one as `Authorization: Bearer`, with a scope over the page's address; a wrong
token is counted as at HELLO. Without tokens the numbers are for everybody who may ask at all, and who is
connected is for this machine alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from router.core.access import Right
from router.core.refusal import Refusal
from router.runtime.desk import Desk
from router.runtime.door import Answer, Page, Request
from router.web.exposition import CONTENT_TYPE
from router.web.metrics import exposition
from router.web.overview import overview
from router.wire.codes import ErrorCode

METRICS_ADDRESS = "/clasp/metrics"
"""Whoever may read it may see `/metrics`."""
SESSIONS_ADDRESS = "/clasp/sessions"
"""Whoever has admin over it may see `/sessions`."""

_STATUSES = {ErrorCode.FORBIDDEN: 403, ErrorCode.TOO_MANY: 429}
_UNAUTHORIZED = 401


def make_pages(desk: Desk) -> Mapping[str, Page]:
    """The pages of a desk, by path."""

    def metrics(request: Request) -> Answer:
        return Answer(200, CONTENT_TYPE, exposition(desk).encode())

    def sessions(request: Request) -> Answer:
        if desk.gate is None and not request.is_loopback:
            return _text(403, "without tokens this is shown to this machine alone")
        return Answer(200, "application/json", json.dumps(overview(desk)).encode())

    return {
        "/metrics": _guarded(desk, metrics, Right.READ, METRICS_ADDRESS),
        "/sessions": _guarded(desk, sessions, Right.ADMIN, SESSIONS_ADDRESS),
    }


def _guarded(desk: Desk, page: Callable[[Request], Answer], right: Right, address: str) -> Page:
    """The page, for those who have a right to it."""

    def answer(request: Request) -> Answer:
        if desk.gate is None:
            return page(request)
        try:
            access = desk.gate.admit(request.bearer or "", request.host, desk.clock())
            access.demand(right, address)
        except Refusal as refusal:
            status = _STATUSES.get(ErrorCode(refusal.code), _UNAUTHORIZED)
            return _text(status, f"{refusal}; a token with {right}:{address} is needed")
        return page(request)

    return answer


def _text(status: int, text: str) -> Answer:
    return Answer(status, "text/plain", f"{text}\n".encode())
