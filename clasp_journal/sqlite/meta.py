"""The few facts about the journal as a whole: its epoch, its highest number, how the last writer ended.

The epoch changes when the machine, not just the writer, stopped without warning: what a reader may have
seen can then be missing. A killed writer leaves every committed entry behind, so its epoch lives on.
"""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path
from typing import Any, NamedTuple, Self

from clasp_journal.errors import JournalCorrupt
from clasp_journal.sqlite import schema
from clasp_journal.sqlite.checksum import small_row_checksum

LINEAGE_EPOCHS = 100
NOTHING_TO_FORGET = -1
NOTHING_GONE_US = -(1 << 63)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Meta(NamedTuple):
    """The facts, each a row of the table."""

    epoch: str
    latest_seq: int = 0
    """The highest number given when the journal was last closed or entries were last removed; there may be
    higher ones in the log."""
    oldest_seq: int = 1
    """The first entry, or the next to be given, when the journal was last closed."""
    clean: int = 1
    """Whether the last writer closed the journal."""
    boot_id: str = ""
    """The run of the machine in which it wrote; empty where that is not known."""
    forgetting_after: int = NOTHING_TO_FORGET
    """Behind this number there may be an act of forgetting that was not carried out."""
    thinned_upto: int = 0
    """Up to this number the rules have been carried out."""
    thinned_by: str = ""
    """Which rules."""
    gone_upto_us: int = NOTHING_GONE_US
    """No entry that was removed from the beginning is younger."""
    lineage: str = ""
    """The epochs before this one, the newest last: a mirror may still be in one of them."""

    @classmethod
    def read(cls, db: sqlite3.Connection) -> Self:
        """What the file says."""
        told: dict[str, Any] = {}
        for raw_key, raw, crc in db.execute(schema.READ_META):
            key = (
                raw_key.decode("utf-8", "replace") if isinstance(raw_key, bytes) else "a fact without a name"
            )
            fact = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
            if crc != small_row_checksum(key, fact):
                raise JournalCorrupt(f"{key} is damaged")
            told[key] = fact
        try:
            return cls(**told)
        except TypeError as error:
            raise JournalCorrupt(f"facts are missing: {error}") from error

    def write(self, db: sqlite3.Connection) -> None:
        """Store all of it, within a transaction."""
        facts = self._asdict().items()
        db.executemany(schema.WRITE_META, [(key, fact, small_row_checksum(key, fact)) for key, fact in facts])

    def taken_over(self) -> Meta:
        """The facts once a new writer has begun: a new epoch if the machine stopped under the last one."""
        here = this_boot_id()
        machine_stopped = not self.clean and (not here or here != self.boot_id)
        return (self.renewed() if machine_stopped else self)._replace(clean=0, boot_id=here)

    def renewed(self) -> Meta:
        """The same journal in a new epoch."""
        lineage = [*self.lineage.split(), self.epoch][-LINEAGE_EPOCHS:]
        return self._replace(epoch=new_epoch(), lineage=" ".join(lineage))

    def was_once(self, epoch: str) -> bool:
        """Whether this is, or was, an epoch of this journal."""
        return epoch == self.epoch or epoch in self.lineage.split()


def new_epoch() -> str:
    """A name that no journal has had."""
    return secrets.token_hex(8)


def this_boot_id() -> str:
    """What tells this run of the machine from the one before; empty if nothing does."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""
