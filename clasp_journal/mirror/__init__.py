"""A second, append-only copy of a journal in JSON lines, from which the first can be rebuilt.

`SqliteJournal(path, mirror="show.jsonl")` writes it; `verify_chain`, `parity` and `rebuild` use it.

Order and crashes. An append becomes lines first, is committed in SQLite then, and is acknowledged last;
one that asks for the disk (QoS 2) waits for the mirror's fsync before SQLite commits. So at any moment
the mirror ends with the append that SQLite ends with, or with one more:

* The commit fails: the lines are cut off again before the caller is told.
* The process dies in the middle of the lines: the last line, or the last append, is torn. It was never
  committed and never acknowledged. It is cut off when the mirror is opened to be written again; a reader
  says "torn".
* The process dies between the lines and the commit: the append is whole in the mirror and missing in
  SQLite. It was not acknowledged, so it may be there or not: SQLite takes it over when both are opened,
  since to cut it off could lose something wherever SQLite lost more than that (a power cut, an older copy
  of the database).
* The power fails: what neither side had on its disk is gone; what one side still has the other takes
  over. Lines behind the last fsync may then be damaged in the middle: they are copied to
  `FILE.damaged-<time>`, cut off and written again from SQLite. That is believed only where the journal
  says that the machine stopped under it; otherwise a broken line is tampering, and the mirror is not
  opened.
* The mirror is new, or was left out for a while: what it lacks is copied from SQLite.
* An author is forgotten: the act is a line and an entry like any other, and all that it covers goes from
  SQLite after that. An act that only the mirror has is taken over and carried out. The lines keep what
  they tell until `forget_lines` leaves only their digests.

Nothing is believed unseen: the last entry that both sides have must be the same, and the mirror's epoch
one that the journal has had. On opening, the last megabyte or two of the chain is checked, from a
checkpoint on, not all of it from its beginning: `verify_chain` does that.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clasp_journal.mirror.agreement import parity
    from clasp_journal.mirror.comparing import Parity
    from clasp_journal.mirror.digests import digest_of_entry, verify_digests
    from clasp_journal.mirror.options import MirrorOptions
    from clasp_journal.mirror.rebuilding import DifferingEntry, Report, rebuild
    from clasp_journal.mirror.redaction import count_forgettable, forget_lines
    from clasp_journal.mirror.trouble import MirrorRefused
    from clasp_journal.mirror.verification import ChainReport, verify_chain
    from clasp_journal.mirror.writing import Mirror

__all__ = [
    "ChainReport",
    "DifferingEntry",
    "Mirror",
    "MirrorOptions",
    "MirrorRefused",
    "Parity",
    "Report",
    "count_forgettable",
    "digest_of_entry",
    "forget_lines",
    "parity",
    "rebuild",
    "verify_chain",
    "verify_digests",
]

_HOMES = {
    "ChainReport": "verification",
    "DifferingEntry": "rebuilding",
    "Mirror": "writing",
    "MirrorOptions": "options",
    "MirrorRefused": "trouble",
    "Parity": "comparing",
    "Report": "rebuilding",
    "count_forgettable": "redaction",
    "digest_of_entry": "digests",
    "forget_lines": "redaction",
    "parity": "agreement",
    "rebuild": "rebuilding",
    "verify_chain": "verification",
    "verify_digests": "digests",
}


def __getattr__(name: str) -> object:
    """A name is imported when it is first used: a journal without a mirror pays nothing for mirrors."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
