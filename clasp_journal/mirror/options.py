"""How a mirror is kept: the options alone, for those who only name a mirror and do not open it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from clasp_journal.entry import JournalEntry

Policy = Callable[[JournalEntry], str | None]


class MirrorOptions(NamedTuple):
    """How a mirror is kept."""

    path: str
    segment_bytes: int = 0
    """A file is closed, and another begun, when it is larger than that; 0 never."""
    compress: str = "none"
    """What compresses closed files: gzip, zstd (the package `zstandard`), or none."""
    key_file: str | None = None
    """An Ed25519 key in PEM, with which checkpoints are signed."""
    check: str = "end"
    """How much of the chain is checked before anything is added: `all`, or the `end`, a megabyte or two."""
    policy: Policy | None = None
    """Asked about every entry: a text is the reason to refuse the append that it is part of."""
