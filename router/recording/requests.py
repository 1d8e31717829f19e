"""What can be asked of the journal's side, and what comes back.

All of it are tuples of plain things, so that the same words work in one process and between two.
"""

from __future__ import annotations

from typing import NamedTuple, Self

from clasp_journal.entry import ParamSnapshot
from router.wire.masks import ALL_TYPES

PAGE_ENTRIES = 500
PAGE_BYTES = 256 * 1024
"""A page ends with the entry that reaches one of these."""
WHOLE = ("/**",)
"""All addresses, as the patterns that somebody may know of."""
HISTORY_BYTES = 8 * 1024 * 1024
"""What one new subscription gets of the past at most; the newest win."""


class PageRequest(NamedTuple):
    """A page of history, packed for a peer. `following` makes the request for the next one."""

    patterns: tuple[str, ...]
    """Entries that match any of them."""
    from_us: int | None = None
    to_us: int | None = None
    limit: int | None = None
    """Entries still wanted; None for all."""
    type_mask: int = ALL_TYPES
    author: str | None = None
    after_seq: int = 0
    """Only entries with a higher number. In another life of the journal than `epoch` it may lie beyond the
    latest; it then counts as the latest."""
    upto_seq: int | None = None
    """Only entries up to this number; None: the latest when the request is handled."""
    epoch: str | None = None
    """The life that `after_seq` counts in; None: the present one."""
    newest: bool = False
    """The newest `limit` instead of the oldest; still oldest first."""
    wait: bool = False
    """Hold the answer until there is an entry to send, for as long as that takes."""
    entries_id: int | None = None
    """Answer as ENTRIES with this id; None: as plain SET and PUBLISH with the entry's time on the frame."""
    journal_kinds: bool = False
    """Also the journal's own kinds; only in ENTRIES."""

    def following(self, page: Page) -> Self:
        """The request for what comes after a page."""
        limit = None if self.limit is None or self.newest else max(0, self.limit - page.entries)
        return self._replace(
            limit=limit, after_seq=page.last_seq, upto_seq=page.upto_seq, epoch=page.epoch, newest=False
        )


class HistoryRequest(NamedTuple):
    """What a new subscription asked for: the newest entries of each matching address."""

    patterns: tuple[str, ...]
    per_address: int
    in_all: int
    type_mask: int = ALL_TYPES
    upto_us: int | None = None
    """When it subscribed: what this life of the journal was given later reaches it by itself. In a life
    before, the clock may have been ahead."""


class Page(NamedTuple):
    """History, ready to be written to a peer."""

    blob: bytes
    """Packed frames."""
    entries: int
    """How many there are in it."""
    last_sent: int
    """The number of the last entry in it; 0 if there is none."""
    last_seq: int
    """Everything up to this number has been looked at; the next page begins behind it."""
    upto_seq: int
    """Where the answer ends, as far as this request goes."""
    head: int
    """The latest number when the page was made."""
    epoch: str
    done: bool
    """Nothing is left up to `upto_seq`, or the limit is reached."""
    incomplete: bool
    """Entries that should stand before or in it are gone, or the epoch is not the one asked for."""


class RestoredState(NamedTuple):
    """What the journal remembers when the router starts."""

    epoch: str
    latest_seq: int
    revision_floor: int
    param_count: int


class KeepSnapshot(NamedTuple):
    """The whole state, from the router itself; for when not everything it did is in the journal."""

    params: list[ParamSnapshot]
    revision_floor: int
