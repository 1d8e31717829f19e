"""The newest file of a mirror: lines are added behind its end, and when it is large it gives way to the next.

Laws: lines are only ever added; an append that fails is cut off again, wholly, before anybody is told; what
could not be cut off then is cut off before anything else is written.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from clasp_journal.errors import JournalError, JournalUnavailable
from clasp_journal.mirror.chain import Position, anchor_facts, control_body, digest_of, link, tail_of
from clasp_journal.mirror.ending import End
from clasp_journal.mirror.options import MirrorOptions
from clasp_journal.mirror.packing import COMPRESSED, suffix_of
from clasp_journal.mirror.segments import closed_name, closed_segments, compress_closed, sync_folder
from clasp_journal.mirror.signing import Signer, signed_bytes
from clasp_journal.mirror.trouble import telling
from clasp_journal.presence import Presence

CHECKPOINT_EVERY_BYTES = 1 << 20


class NewestFile:
    """The file that a mirror grows in, and its place in the chain. The mirror's lock is its caller's."""

    def __init__(self, options: MirrorOptions) -> None:
        self.options = options
        self.path = os.fspath(options.path)
        self.at = Position()
        """Where the chain stands behind the last line."""
        self.offset = 0
        """The end of the last line."""
        self._checkpoint_offset = 0
        self._suffix = suffix_of(options.compress, self.path)
        self._signer = Signer(options.key_file) if options.key_file else None
        self._file = -1
        self._presence = Presence()
        self._is_damaged = False
        """Whether something stands behind `offset` that has to be cut off."""
        self._compressing: threading.Thread | None = None

    @property
    def expected_seq(self) -> int:
        """The number of the next entry."""
        return max(self.at.seq + 1, self.at.removed_before)

    def go_on_from(self, end: End) -> None:
        """Add lines behind this end; called before `open`."""
        self.at, self.offset, self._checkpoint_offset = end.at, end.offset, end.checkpoint_offset

    def open(self) -> None:
        """Open it, and cut off what stands behind the end; if it is yet to be begun, write its first line."""
        before, offset = self.at, self.offset
        with telling(self.path, "open"):
            try:
                self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
                self._presence = Presence(self.path)
                os.ftruncate(self._file, offset)
                if not offset:
                    self.at = before._replace(segment=before.segment + 1)
                    self.write_control("mirror", anchor_facts(self.at))
                self.sync()
                sync_folder(self.path)
            except BaseException:
                self.at, self.offset = before, offset
                self._leave()
                raise
        self._compress_closed()

    def end(self) -> None:
        """Write a last checkpoint, to the disk, if there is something behind the one before."""
        if self._file >= 0 and not self._is_damaged and self.offset > self._checkpoint_offset:
            self._write_checkpoint()
            self.sync()

    def close(self) -> None:
        """Leave the files as they are; one that is being compressed is waited for."""
        self._leave()
        if self._compressing is not None:
            self._compressing.join()

    @contextmanager
    def append(self) -> Iterator[None]:
        """What is written in the block stays as a whole, or, after an exception, not at all."""
        self._mend()
        if self._file < 0:
            # The file before was closed, and this one could not be begun.
            self.open()
        with telling(self.path, "append"):
            self._presence.demand()
        if self.options.segment_bytes and self.offset > self.options.segment_bytes:
            self._rotate()
        before = self.at, self.offset, self._checkpoint_offset
        try:
            if self.offset - self._checkpoint_offset > CHECKPOINT_EVERY_BYTES:
                self._write_checkpoint()
            yield
        except BaseException:
            self.at, self.offset, self._checkpoint_offset = before
            self._is_damaged = True
            self._mend(quietly=True)
            raise

    # Within an append.

    def write(self, text: bytes) -> None:
        """Add lines behind the last."""
        with telling(self.path, "append"):
            left = memoryview(text)
            while left:
                written = os.pwrite(self._file, left, self.offset)
                self.offset += written
                left = left[written:]

    def write_control(self, word: str, facts: dict[str, Any]) -> None:
        """Add a line that is no entry."""
        body = control_body(word, facts).encode()
        head = link(self.at.head, digest_of(body))
        self.write(body + tail_of(head))
        self.at = self.at._replace(head=head)

    def sync(self) -> None:
        """Take everything to the disk."""
        with telling(self.path, "append"):
            os.fdatasync(self._file)

    def _write_checkpoint(self) -> None:
        facts = anchor_facts(self.at)
        if self._signer is not None:
            facts["signature"] = self._signer.sign(signed_bytes(self.at.epoch, self.at.seq, self.at.head))
        self.write_control("checkpoint", facts)
        self._checkpoint_offset = self.offset

    def _mend(self, *, quietly: bool = False) -> None:
        """Cut off what failed; until that has succeeded nothing else is written."""
        if self._is_damaged:
            try:
                with telling(self.path, "append"):
                    os.ftruncate(self._file, self.offset)
            except JournalError:
                if not quietly:
                    raise
                return
            self._is_damaged = False

    def _rotate(self) -> None:
        """Close the file and begin another."""
        self._write_checkpoint()
        self.sync()
        with telling(self.path, "rotate"):
            closed = closed_name(self.path, self.at.segment)
            if os.path.lexists(closed):
                raise JournalUnavailable("there is such a file already", path=closed, operation="rotate")
            os.rename(self.path, closed)
        self._leave()
        self.offset = self._checkpoint_offset = 0
        self.open()

    def _leave(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _compress_closed(self) -> None:
        """Compress closed files in a thread of its own, if they are to be."""
        closed = closed_segments(self.path)
        if self._suffix and not all(name.endswith(COMPRESSED) for name in closed):
            if self._compressing is not None:
                self._compressing.join()
            self._compressing = threading.Thread(
                target=compress_closed, args=(self.path, self._suffix), daemon=True
            )
            self._compressing.start()
