"""One append to a mirror: its entries become lines while they pass by on their way to the other side.

Law: nothing is added whose number is there already, or leaves a gap, or which the policy refuses; then
the whole append is refused, and neither side changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b

from clasp_journal.entry import JournalEntry
from clasp_journal.mirror.chain import HASH_BYTES, digest_of
from clasp_journal.mirror.ending import digest_at
from clasp_journal.mirror.lines import body_of
from clasp_journal.mirror.newest_file import NewestFile
from clasp_journal.mirror.trouble import MirrorRefused, telling

WRITTEN_AT_ONCE_LINES = 4_096


class Transaction:
    """What is added to a mirror as a whole. Made by `Mirror.transaction`."""

    def __init__(self, file: NewestFile, *, synced: bool) -> None:
        self._file = file
        self._synced = synced
        self._policy = file.options.policy
        self._lines: list[str] = []
        self._head = file.at.head
        self._seq = file.expected_seq - 1
        self._held: tuple[str, bytes] | None = None
        """The last body and its digest: whether another follows is not known yet."""

    def passing(self, entries: Iterable[JournalEntry], after_seq: int) -> Iterator[JournalEntry]:
        """The same entries, which become lines under the numbers that follow `after_seq`."""
        self._must_follow(after_seq + 1)
        lines, policy, body_of_, digest_size = self._lines, self._policy, body_of, HASH_BYTES
        head, seq, held = self._head, self._seq, self._held
        body, digest = held or ("", b"")
        for entry in entries:
            seq += 1
            if policy is not None:
                self._ask(policy(entry._replace(seq=seq)), seq)
            if digest:
                head = blake2b(head + digest + b"+", digest_size=digest_size).digest()
                lines.append(f'{body},"more":true,"hash":"{head.hex()}"}}\n')
                if len(lines) >= WRITTEN_AT_ONCE_LINES:
                    self._write_out()
            body = body_of_(entry, seq)
            digest = blake2b(body.encode(), digest_size=digest_size).digest()
            yield entry
        self._head, self._seq, self._held = head, seq, (body, digest) if digest else None

    def add(self, entry: JournalEntry) -> None:
        """Add an entry under the number that it carries, which has to be the next."""
        self.add_all((entry,), entry.seq - 1)

    def add_all(self, entries: Iterable[JournalEntry], after_seq: int) -> None:
        """Add entries under the numbers that follow `after_seq`."""
        for _ in self.passing(entries, after_seq):
            # To become a line, an entry only has to pass.
            continue

    def mirror_one(self, entry: JournalEntry) -> bool:
        """Add an entry; False if that very entry is there already. Another one with its number is refused."""
        if entry.seq <= self._file.at.seq and self._holds(entry):
            return False
        self.add(entry)
        return True

    def seal(self) -> None:
        """Write what was added; with `synced` it is on the disk afterwards."""
        if self._held is None:
            return
        body, digest = self._held
        self._head = blake2b(self._head + digest, digest_size=HASH_BYTES).digest()
        self._lines.append(f'{body},"hash":"{self._head.hex()}"}}\n')
        self._held = None
        self._write_out()
        self._file.at = self._file.at._replace(head=self._head, seq=self._seq)
        if self._synced:
            self._file.sync()

    def _holds(self, entry: JournalEntry) -> bool:
        """Whether an entry that is not newer than the end is there; `MirrorRefused` if another one is."""
        wanted = digest_of(body_of(entry, entry.seq).encode())
        path = self._file.path
        with telling(path, "read"):
            found = digest_at(path, entry.seq)
        if found is not None and found != wanted:
            reason = f"entry {entry.seq} is another one there (digest {found.hex()}, not {wanted.hex()})"
            raise MirrorRefused(reason, path=path, operation="append")
        return found is not None

    def _write_out(self) -> None:
        self._file.write("".join(self._lines).encode())
        self._lines.clear()

    def _must_follow(self, seq: int) -> None:
        if seq != self._seq + 1:
            there = "is there already" if seq <= self._seq else f"leaves a gap behind entry {self._seq}"
            raise MirrorRefused(f"entry {seq} {there}", path=self._file.path, operation="append")

    def _ask(self, reason: str | None, seq: int) -> None:
        if reason is not None:
            raise MirrorRefused(f"entry {seq} is refused: {reason}", path=self._file.path, operation="append")
