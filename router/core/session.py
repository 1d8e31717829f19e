"""Who is connected.

A session is who, a connection the pipe. The core knows of the pipe only the opaque `outbox`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, TypeAlias

from router.core.access import CLOSED

Outbox: TypeAlias = Any
"""Where the packed messages for one session wait. To the core it is only a name."""


class Stage(IntEnum):
    """Where a session stands in its life."""

    GREETING = 0
    """Connected; HELLO has not come."""
    LIVE = 1
    DISMISSED = 2
    """The router has told it to go, and does not hear it any more."""
    GONE = 3


class Session:
    """One connected client."""

    __slots__ = (
        "access",
        "author",
        "errors",
        "errors_since",
        "features",
        "heeded",
        "host",
        "id",
        "is_plain",
        "is_trusted",
        "messages",
        "messages_since",
        "name",
        "number",
        "outbox",
        "replays",
        "stage",
    )

    def __init__(
        self, number: int, session_id: str, outbox: Outbox, *, is_trusted: bool = False, host: str = ""
    ) -> None:
        self.number = number
        """Unique in this life of the router; the feed to the journal names sessions by it."""
        self.id = session_id
        self.outbox = outbox
        self.host = host
        """Where it comes from, without the port."""
        self.stage = Stage.GREETING
        self.access = CLOSED
        """What it may do. Shared by all who came with the same token."""
        self.heeded = 0
        """The generation of the access that its subscriptions have been held against."""
        self.author = session_id
        """The subject of its token, or its own id."""
        self.name = ""
        self.features = 0
        self.is_plain = False
        """Whether its messages may take the fast forms: it is live, and nobody counts them."""
        self.is_trusted = is_trusted
        """Whether it may change the journal where there are no tokens: it comes from this machine."""
        self.replays = 0
        """How many replays run or wait for it."""
        self.errors = 0
        self.errors_since = 0
        self.messages = 0
        self.messages_since = 0
