"""The writing end of a mirror.

Laws: one process writes (a kernel lock on `FILE.lock`); a number is never written twice; how lines are added,
and cut off again when an append fails, is told in `newest_file`.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Self

from clasp_journal.entry import JournalEntry
from clasp_journal.errors import JournalLocked, JournalUnavailable
from clasp_journal.mirror.chain import Line, Position
from clasp_journal.mirror.ending import End, digest_at, find_end, lines_after
from clasp_journal.mirror.newest_file import NewestFile
from clasp_journal.mirror.options import MirrorOptions
from clasp_journal.mirror.signing import Verifier
from clasp_journal.mirror.transaction import Transaction
from clasp_journal.mirror.trouble import broken_mirror, telling
from clasp_journal.mirror.verification import verify_chain
from clasp_journal.mirror.walking import Break


class Mirror:
    """An open mirror. All of it runs in the thread of its caller, one call at a time."""

    def __init__(self, options: MirrorOptions) -> None:
        """Lock it and find its end; `broken` says if that could not be trusted."""
        self.options = options
        self._file = NewestFile(options)
        self.path = self._file.path
        with telling(self.path, "open"):
            self._lock = _locked(self.path)
        try:
            with telling(self.path, "open"):
                end = find_end(self.path, Verifier(options.key_file) if options.key_file else None)
            if options.check == "all" and end is not None and end.broken is None:
                self._check_all()
        except BaseException:
            os.close(self._lock)
            raise
        self.is_new = end is None or (end.at == Position() and end.broken is None)
        end = end or End(Position(), 0, 0, 0)
        self.broken: Break | None = end.broken
        self.torn_bytes = end.torn_bytes
        self._file.go_on_from(end)

    @property
    def at(self) -> Position:
        """Where the chain stands behind its last line."""
        return self._file.at

    @property
    def expected_seq(self) -> int:
        """The number of the next entry."""
        return self._file.expected_seq

    # Beginning and ending.

    def _check_all(self) -> None:
        """Refuse a chain that is broken before its end, where no crash can have broken it."""
        broken = verify_chain(self.path, key_file=self.options.key_file).broken
        if broken is not None:
            raise broken_mirror(broken)

    def begin(self, epoch: str, after_seq: int = 0) -> None:
        """Cut off what a crash left behind, and write the first line where there is none.

        A chain that is broken is refused, also one of another epoch: see `note_epoch`.
        """
        if self.broken is not None:
            raise broken_mirror(self.broken)
        if self.is_new:
            removed_before = after_seq + 1 if after_seq else 0
            self._file.at = Position(epoch=epoch, seq=after_seq, removed_before=removed_before)
        if self.at.epoch != epoch:
            reason = f"it belongs to epoch {self.at.epoch}, and the journal is {epoch}"
            raise JournalUnavailable(reason, path=self.path, operation="open")
        self._file.open()
        self.is_new = False

    def set_tail_aside(self) -> str:
        """Keep a copy of what is broken, and go on from before it: for whoever knows that power failed."""
        assert self.broken is not None
        aside = f"{self.path}.damaged-{datetime.now(UTC).strftime('%Y%m%dT%H%M%S%fZ')}"
        with telling(self.path, "set aside"), open(self.path, "rb") as damaged, open(aside, "xb") as kept:
            damaged.seek(self._file.offset)
            shutil.copyfileobj(damaged, kept)
            kept.flush()
            os.fsync(kept.fileno())
        self.broken = None
        return aside

    def close(self) -> None:
        """End with a checkpoint, on the disk, and let others write."""
        try:
            self._file.end()
        finally:
            self.release()

    def release(self) -> None:
        """Let others write, and leave the files as they are."""
        self._file.close()
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Appending.

    @contextmanager
    def transaction(self, *, synced: bool = False) -> Iterator[Transaction]:
        """All that is added in the block, as one append, or, after an exception, nothing of it.

        It is in the system's hands after `seal`, and with `synced` on the disk; so whoever has another side
        to commit seals first, and commits that within the block.
        """
        with self._file.append():
            transaction = Transaction(self._file, synced=synced)
            yield transaction
            transaction.seal()

    def mirror_one(self, entry: JournalEntry, *, synced: bool = False) -> bool:
        """Write an entry under the number that it carries; False if that very entry is there already.

        Another entry under that number, or a number that leaves a gap, is refused. `Transaction` has the same
        for several that belong together.
        """
        with self.transaction(synced=synced) as transaction:
            return transaction.mirror_one(entry)

    def digest_at(self, seq: int) -> bytes | None:
        """The digest of an entry that is there; found by reading."""
        with telling(self.path, "read"):
            return digest_at(self.path, seq)

    def lines_after(self, seq: int) -> Iterator[Line]:
        """The lines of the entries behind a number, up to the end of the last whole append."""
        with telling(self.path, "read"):
            for line in lines_after(self.path, seq):
                if line.seq > self.at.seq:
                    return
                yield line

    def sync(self) -> None:
        """Take everything to the disk."""
        self._file.sync()

    # What is no entry.

    def note_epoch(self, epoch: str) -> None:
        """Another life of the journal begins behind the last entry."""
        if epoch != self.at.epoch:
            facts = {"epoch": epoch, "after": self.at.epoch, "seq": self.at.seq}
            self._note("epoch", facts, epoch=epoch)

    def note_removed(self, before_seq: int) -> None:
        """The journal removes its entries below a number, on purpose."""
        if before_seq > self.at.removed_before:
            self._note("removed", {"before_seq": before_seq}, removed_before=before_seq)

    def _note(self, word: str, facts: dict[str, Any], **after: Any) -> None:
        file = self._file
        with file.append():
            file.write_control(word, facts)
            file.at = file.at._replace(**after)
            file.sync()


def _locked(path: str) -> int:
    descriptor = os.open(path + ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        reason = f"another journal is writing this mirror: process {holder}"
        raise JournalLocked(reason, path=path, operation="open") from None
    except BaseException:
        os.close(descriptor)
        raise
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor
