"""Reading a mirror from its first line to its last, over all of its files.

Laws: memory stays flat; each line is checked before it is handed on, unless the reader says that it does not
care; a last line, or a last append, that a crash cut short is told as torn, never as broken.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, NamedTuple

from clasp_journal.errors import JournalUnavailable
from clasp_journal.mirror.chain import BrokenChain, Chain, Fault, Line
from clasp_journal.mirror.packing import UNREADABLE
from clasp_journal.mirror.removals import removal_of
from clasp_journal.mirror.segments import closed_segments, open_segment
from clasp_journal.mirror.signing import Verifier, signed_bytes

CLOSED = re.compile(r"\.\d{6,}(?:\.gz|\.zst)?$")
"""The name of a file that stands for itself."""


class Break(NamedTuple):
    """The first line that does not follow."""

    file: str
    line: int
    seq: int
    fault: Fault
    reason: str


class Torn(NamedTuple):
    """What a crash has left of the last append: not tampering, and not part of the mirror."""

    file: str
    line: int
    seq: int
    """The first entry that does not count."""
    size_bytes: int


class Walk:
    """One way through a mirror. Iterate it once; then it says how far it came and what stopped it."""

    def __init__(self, path: str, verifier: Verifier | None = None) -> None:
        """A path that is that of a closed file means that file alone."""
        self.path = os.fspath(path)
        self.chain = Chain()
        self.entries = 0
        self.forgotten = 0
        self.first_seq = 0
        self.signed_upto_seq = 0
        self.broken: Break | None = None
        self.torn: Torn | None = None
        self._verifier = verifier
        self._unexplained: Break | None = None
        self._unexplained_upto = 0
        self._whole = Torn("", 0, 0, 0)
        """The end of the last whole append: its file, line and entry, and the bytes up to there."""
        self._size_bytes = 0
        self._is_series = not CLOSED.search(self.path)
        self._newest: IO[bytes] | None = None
        self.files: list[str] = []

    def _files(self) -> list[str]:
        """The files, the newest one opened first: its writer may close it meanwhile, and begin another."""
        with suppress(FileNotFoundError):
            self._newest = open_segment(self.path)
        closed = closed_segments(self.path)
        if self._newest is None:
            if not closed:
                raise JournalUnavailable("there is no such mirror", path=self.path, operation="read")
            return closed
        newest = os.fstat(self._newest.fileno())
        while closed and os.path.samestat(os.stat(closed[-1]), newest):
            closed.pop()
        return [*closed, self.path]

    def _open(self, file: str) -> IO[bytes]:
        return self._newest if file == self.path and self._newest is not None else open_segment(file)

    def __iter__(self) -> Iterator[Line]:
        """Every line that counts; ends at the first that is broken, which then is in `broken`.

        The lines of an append that turns out to be torn are handed on all the same: `torn` says from which
        entry on they do not count.
        """
        self.files = self._files()
        file, number = self.files[0], 0
        chain = self.chain
        follow_entry = chain.follow_entry
        try:
            for file in self.files:
                number = self._size_bytes = 0
                self._whole = Torn(file, 0, chain.seq, 0)
                with self._open(file) as lines:
                    for number, raw in enumerate(lines, 1):
                        self._size_bytes += len(raw)
                        line = follow_entry(raw)
                        if line is None:
                            if raw[-1:] != b"\n" and file == self.files[-1]:
                                self._note_torn()
                                return
                            line = self._take(file, number, raw)
                        if line.seq:
                            self._count(line)
                        if not chain.in_append:
                            self._whole = Torn(file, number, chain.seq, self._size_bytes)
                        yield line
                self._close_file(file, number)
        except BrokenChain as broken:
            self.broken = Break(file, number, broken.seq, broken.fault, broken.reason)
        except UNREADABLE as error:
            reason = f"the compressed file is damaged: {error}"
            self.broken = Break(file, number + 1, self.chain.expected_seq, Fault.UNREADABLE, reason)
        else:
            self.broken = self._unexplained
        finally:
            if self._newest is not None:
                self._newest.close()

    def _take(self, file: str, number: int, raw: bytes) -> Line:
        """A line that is no whole entry, or does not follow."""
        if not self.chain.started:
            return self._begin(raw)
        line = self.chain.follow(raw)
        if line.seq and not line.body:
            self._note_forgotten(file, number, line.seq)
        elif line.word == "removed":
            self._explain_upto(int(line.facts["before_seq"]) - 1)
        elif line.word == "checkpoint" and self._verifier is not None:
            self._check_signature(line)
        return line

    def _count(self, line: Line) -> None:
        if not self.entries:
            self.first_seq = line.seq
        self.entries += 1
        if self._unexplained is not None and line.body:
            self._explain(line)

    def _begin(self, raw: bytes) -> Line:
        """A mirror begins with its first file; a closed file that is looked at alone with itself."""
        if not raw.startswith(b'{"mirror":'):
            raise BrokenChain(Fault.UNREADABLE, 0, "this is no mirror: its first line does not say so")
        line = self.chain.follow(raw)
        if self._is_series and self.chain.segment != 1:
            reason = f"the files before number {self.chain.segment} are not there"
            raise BrokenChain(Fault.MISSING, self.chain.seq, reason)
        return line

    def _close_file(self, file: str, number: int) -> None:
        if not number:
            if file == self.files[-1]:
                self.torn = Torn(file, 1, self.chain.expected_seq, 0)
                return
            raise BrokenChain(Fault.MISSING, self.chain.expected_seq, "the file is empty")
        if self.chain.in_append:
            if file != self.files[-1]:
                raise BrokenChain(Fault.MISSING, self.chain.expected_seq, "the end of the file is missing")
            self._note_torn()

    def _note_torn(self) -> None:
        """All that stands behind the last whole append is torn."""
        file, number, seq, size_bytes = self._whole
        expected_seq = max(seq + 1, self.chain.removed_before)
        self.torn = Torn(file, number + 1, expected_seq, self._size_bytes - size_bytes)

    # What was forgotten has to be explained by an entry behind it.

    def _note_forgotten(self, file: str, number: int, seq: int) -> None:
        self.forgotten += 1
        self._unexplained_upto = seq
        if self._unexplained is None:
            reason = f"of entry {seq} only the digest is there, but nothing says that it was forgotten"
            self._unexplained = Break(file, number, seq, Fault.UNEXPLAINED, reason)

    def _explain(self, line: Line) -> None:
        if b'"op":"removed"' in line.body or b'"op":"forget"' in line.body:
            removal = removal_of(line.body)
            if removal is not None:
                self._explain_upto(removal.last_seq)

    def _explain_upto(self, last_seq: int) -> None:
        if last_seq >= self._unexplained_upto:
            self._unexplained = None

    def _check_signature(self, line: Line) -> None:
        assert self._verifier is not None
        facts = line.facts
        message = signed_bytes(facts["epoch"], facts["seq"], bytes.fromhex(facts["prev"]))
        if not self._verifier.accepts(facts.get("signature"), message):
            reason = "this checkpoint was not signed with that key"
            raise BrokenChain(Fault.FORGED, self.chain.seq, reason)
        self.signed_upto_seq = self.chain.seq
