"""How a journal in a file is opened: what its parts are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from clasp_journal.mirror.options import MirrorOptions

if TYPE_CHECKING:
    from clasp_journal.sqlite.scout import Scout


class Options(NamedTuple):
    """How to open a journal."""

    read_only: bool = False
    url: str | None = None
    """Where the writer can be reached; told to whoever finds the journal locked."""
    lock_wait_s: float = 0.0
    on_corrupt: Literal["refuse", "set_aside"] = "refuse"
    mirror: MirrorOptions | None = None
    scout: Scout | None = None
    """A process that may read the end of the log ahead; see `scout`."""
