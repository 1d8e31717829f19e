"""Why the core does not do what a well-formed message asks."""

from __future__ import annotations

from clasp_journal.errors import BadInput
from router.wire.codes import ErrorCode


class Refusal(BadInput):
    """A rule or a limit forbids it; answered with an ERROR of this code about this address."""

    def __init__(self, code: ErrorCode, reason: str, about: str | None = None) -> None:
        super().__init__(reason, about)
        self.code = int(code)
