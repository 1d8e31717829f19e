"""The writing end of a mirror.

Laws: one process writes (a kernel lock on `FILE.lock`); lines are only ever added, and an append that
fails is cut off again, wholly, before anybody is told; a number is never written twice; what was cut off
in vain is cut off before anything else is written.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Self

from clasp_journal.entry import JournalEntry
from clasp_journal.errors import JournalCorrupt, JournalError, JournalLocked, JournalUnavailable
from clasp_journal.mirror.chain import (
    BrokenChain,
    Line,
    Position,
    anchor_facts,
    control_body,
    digest_of,
    link,
    tail_of,
)
from clasp_journal.mirror.ending import End, find_end, lines_after
from clasp_journal.mirror.lines import body_of
from clasp_journal.mirror.options import MirrorOptions
from clasp_journal.mirror.packing import COMPRESSED, suffix_of
from clasp_journal.mirror.segments import closed_name, closed_segments, compress_closed, sync_folder
from clasp_journal.mirror.signing import Signer, Verifier, signed_bytes
from clasp_journal.mirror.transaction import MirrorRefused, Transaction
from clasp_journal.mirror.verification import verify_chain
from clasp_journal.mirror.walking import Break

CHECKPOINT_EVERY_BYTES = 1 << 20


class Mirror:
    """An open mirror. All of it runs in the thread of its caller, one call at a time."""

    def __init__(self, options: MirrorOptions) -> None:
        """Lock it and find its end; `broken` says if that could not be trusted."""
        self.options = options
        self.path = os.fspath(options.path)
        self._suffix = suffix_of(options.compress, self.path)
        self._signer = Signer(options.key_file) if options.key_file else None
        self._file = -1
        self._damaged = False
        self._compressing: threading.Thread | None = None
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
        self.at = end.at
        self._offset = end.offset
        self._checkpoint_offset = end.checkpoint_offset

    @property
    def expected_seq(self) -> int:
        """The number of the next entry."""
        return max(self.at.seq + 1, self.at.removed_before)

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
            self.at = Position(epoch=epoch, seq=after_seq, removed_before=after_seq + 1 if after_seq else 0)
        if self.at.epoch != epoch:
            reason = f"it belongs to epoch {self.at.epoch}, and the journal is {epoch}"
            raise JournalUnavailable(reason, path=self.path, operation="open")
        self._open_file()
        self._compress_behind()

    def set_tail_aside(self) -> str:
        """Keep a copy of what is broken, and go on from before it: for whoever knows that power failed."""
        assert self.broken is not None
        aside = f"{self.path}.damaged-{datetime.now(UTC).strftime('%Y%m%dT%H%M%S%fZ')}"
        with telling(self.path, "set aside"), open(self.path, "rb") as damaged, open(aside, "xb") as kept:
            damaged.seek(self._offset)
            shutil.copyfileobj(damaged, kept)
            kept.flush()
            os.fsync(kept.fileno())
        self.broken = None
        return aside

    def _open_file(self) -> None:
        """Open the newest file; if it is yet to be begun, write its first line."""
        before, offset = self.at, self._offset
        with telling(self.path, "open"):
            try:
                self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
                os.ftruncate(self._file, offset)
                if not offset:
                    self.at = before._replace(segment=before.segment + 1)
                    self._write_control("mirror", anchor_facts(self.at))
                self.sync()
                sync_folder(self.path)
            except BaseException:
                self.at, self._offset = before, offset
                self._leave_file()
                raise
        self.is_new = False

    def _leave_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def close(self) -> None:
        """End with a checkpoint, on the disk, and let others write."""
        try:
            if self._file >= 0 and not self._damaged and self._offset > self._checkpoint_offset:
                self._write_checkpoint()
                self.sync()
        finally:
            self.release()

    def release(self) -> None:
        """Let others write, and leave the files as they are."""
        self._leave_file()
        if self._compressing is not None:
            self._compressing.join()
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
        self._mend()
        if self._file < 0:
            # The file before was closed, and this one could not be begun.
            self._open_file()
        if self.options.segment_bytes and self._offset > self.options.segment_bytes:
            self._rotate()
        before = self.at, self._offset, self._checkpoint_offset
        try:
            if self._offset - self._checkpoint_offset > CHECKPOINT_EVERY_BYTES:
                self._write_checkpoint()
            transaction = Transaction(self, synced=synced)
            yield transaction
            transaction.seal()
        except BaseException:
            self.at, self._offset, self._checkpoint_offset = before
            self._damaged = True
            self._mend(quietly=True)
            raise

    def mirror_one(self, entry: JournalEntry, *, synced: bool = False) -> bool:
        """Write an entry under the number that it carries; False if that very entry is there already.

        Another entry under that number, or a number that leaves a gap, is refused. `Transaction` has the same
        for several that belong together.
        """
        with self.transaction(synced=synced) as transaction:
            return transaction.mirror_one(entry)

    def holds(self, entry: JournalEntry) -> bool:
        """Whether an entry that is not newer than the end is there; `MirrorRefused` if another one is."""
        wanted = digest_of(body_of(entry, entry.seq).encode())
        found = self.digest_at(entry.seq)
        if found is not None and found != wanted:
            reason = f"entry {entry.seq} is another one there (digest {found.hex()}, not {wanted.hex()})"
            raise MirrorRefused(reason, path=self.path, operation="append")
        return found is not None

    def digest_at(self, seq: int) -> bytes | None:
        """The digest of an entry that is there; found by reading."""
        with telling(self.path, "read"):
            first = next(lines_after(self.path, seq - 1), None)
        return first.digest if first is not None and first.seq == seq else None

    def lines_after(self, seq: int) -> Iterator[Line]:
        """The lines of the entries behind a number, up to the end of the last whole append."""
        with telling(self.path, "read"):
            for line in lines_after(self.path, seq):
                if line.seq > self.at.seq:
                    return
                yield line

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
        with self.transaction():
            self._write_control(word, facts)
            self.at = self.at._replace(**after)
            self.sync()

    # Writing.

    def write(self, text: bytes) -> None:
        """Add lines behind the last."""
        with telling(self.path, "append"):
            left = memoryview(text)
            while left:
                written = os.pwrite(self._file, left, self._offset)
                self._offset += written
                left = left[written:]

    def sync(self) -> None:
        """Take everything to the disk."""
        with telling(self.path, "append"):
            os.fdatasync(self._file)

    def _write_control(self, word: str, facts: dict[str, Any]) -> None:
        body = control_body(word, facts).encode()
        head = link(self.at.head, digest_of(body))
        self.write(body + tail_of(head))
        self.at = self.at._replace(head=head)

    def _write_checkpoint(self) -> None:
        facts = anchor_facts(self.at)
        if self._signer is not None:
            facts["signature"] = self._signer.sign(signed_bytes(self.at.epoch, self.at.seq, self.at.head))
        self._write_control("checkpoint", facts)
        self._checkpoint_offset = self._offset

    def _mend(self, *, quietly: bool = False) -> None:
        """Cut off what failed; until that has succeeded nothing else is written."""
        if self._damaged:
            try:
                with telling(self.path, "append"):
                    os.ftruncate(self._file, self._offset)
            except JournalError:
                if not quietly:
                    raise
                return
            self._damaged = False

    def _rotate(self) -> None:
        """Close the file and begin another."""
        self._write_checkpoint()
        self.sync()
        with telling(self.path, "rotate"):
            closed = closed_name(self.path, self.at.segment)
            if os.path.lexists(closed):
                raise JournalUnavailable("there is such a file already", path=closed, operation="rotate")
            os.rename(self.path, closed)
        self._leave_file()
        self._offset = self._checkpoint_offset = 0
        self._open_file()
        self._compress_behind()

    def _compress_behind(self) -> None:
        closed = closed_segments(self.path)
        if self._suffix and not all(name.endswith(COMPRESSED) for name in closed):
            if self._compressing is not None:
                self._compressing.join()
            self._compressing = threading.Thread(
                target=compress_closed, args=(self.path, self._suffix), daemon=True
            )
            self._compressing.start()


def broken_mirror(broken: Break) -> JournalCorrupt:
    """What is said of a mirror that cannot be trusted."""
    reason = f"line {broken.line} of the mirror: {broken.reason}"
    return JournalCorrupt(reason, path=broken.file, operation="open", first_bad_seq=broken.seq)


@contextmanager
def telling(path: str, operation: str) -> Iterator[None]:
    """Turn what the system or the chain says into the journal's errors."""
    try:
        yield
    except BrokenChain as broken:
        raise JournalCorrupt(
            broken.reason, path=path, operation=operation, first_bad_seq=broken.seq
        ) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise JournalUnavailable(reason, path=error.filename or path, operation=operation) from error


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
