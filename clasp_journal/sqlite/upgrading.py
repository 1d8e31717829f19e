"""Which layout a file has. A writer that opens it brings it up to date; see `birth`."""

from __future__ import annotations

import os
from typing import NamedTuple

from clasp_journal.errors import JournalUnavailable
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.birth import read_version
from clasp_journal.sqlite.worker import Worker


class Layout(NamedTuple):
    """The layout that was found, and the newest that this program knows."""

    written: int
    known: int

    @property
    def is_old(self) -> bool:
        """Whether there is something to migrate."""
        return self.written < self.known


async def layout_of(path: str) -> Layout:
    """Look at a file; `JournalTooNew` if only a newer program understands it."""
    worker = await Worker.start(os.fspath(path), "ro")
    try:
        written = await worker.run(read_version, "upgrade")
    finally:
        await worker.close()
    if written == 0:
        raise JournalUnavailable("there is no journal in this file yet", path=path, operation="upgrade")
    return Layout(written, schema.VERSION)
