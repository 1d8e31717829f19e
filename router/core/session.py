"""Who is connected.

A session is who, a connection the pipe. The core knows of the pipe only the opaque `outbox`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, TypeAlias

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
        "author",
        "errors",
        "errors_since",
        "features",
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

    def __init__(self, number: int, session_id: str, outbox: Outbox, *, is_trusted: bool = False) -> None:
        self.number = number
        """Unique in this life of the router; the feed to the journal names sessions by it."""
        self.id = session_id
        self.outbox = outbox
        self.stage = Stage.GREETING
        self.author = session_id
        """The subject of its token, or its own id."""
        self.name = ""
        self.features = 0
        self.is_plain = False
        """Whether its messages may take the fast forms: it is live, and nobody counts them."""
        self.is_trusted = is_trusted
        """Whether it may change the journal: it comes from this machine."""
        self.replays = 0
        """How many replays run or wait for it."""
        self.errors = 0
        self.errors_since = 0
        self.messages = 0
        self.messages_since = 0
