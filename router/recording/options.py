"""What the operator decides about the journal, and how its process is told to open and keep it."""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple


class OnJournalError(Enum):
    """What becomes of writes while the journal cannot keep them."""

    STOP = "stop"
    """They are refused and not applied."""
    SERVE = "serve"
    """They are applied; the gap is recorded afterwards."""


class RetentionRules(NamedTuple):
    """How much of the past a journal keeps; None keeps all of it."""

    age_us: int | None = None
    size_bytes: int | None = None
    entries: int | None = None
    rules: tuple[str, ...] = ()
    """What is kept of which addresses, as `clasp_journal.rules` reads it."""
    thin_after_us: int = 0
    """Entries younger than that are not thinned."""


class JournalOptions(NamedTuple):
    """Plain things only: they travel through a pipe."""

    path: str
    """The SQLite file."""
    url: str | None = None
    """Where the router listens; told to whoever finds the journal locked."""
    snapshot_every_s: float = 30.0
    lock_wait_s: float = 10.0
    """How long to wait for another writer to leave."""
    retain: tuple[Any, ...] = ()
    """The fields of `RetentionRules`."""
    set_aside_damaged: bool = False
    """Rename a damaged file and begin a new journal, instead of refusing to start."""
    drain_timeout_s: float = 60.0
    """How long a journal that cannot write is tried after the router has gone."""
    mirror: tuple[str, int, str, str | None, str] | None = None
    """The first fields of `MirrorOptions`."""
    resume_after_seq: int | None = None
    """Set when a process takes over from one that died: the last number that was reported."""


def retention_of(options: JournalOptions) -> RetentionRules:
    """How much of the past is to be kept."""
    return RetentionRules(*options.retain)
