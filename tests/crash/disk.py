"""A disk as a power cut may leave it, rebuilt from the log of the shim.

The model, honest but simple:
* a file's bytes are safe once a later sync of that file has returned; writes and truncations since then are
  each, independently, kept, dropped, or (writes) torn: some of their 512-byte sectors are kept, some not.
  What is dropped leaves the bytes that were there before, or zeros where the file grew past it;
* nothing orders the unsynced writes of one file, or of two files, among each other;
* names are kept as a journaling file system keeps them: creations, renames and removals survive in order, up
  to some point. A sync of the directory makes all of them safe, a sync of a file makes its own creation safe,
  and thereby what was done to names before that.

The wal-index (`-shm`) is left out: SQLite makes it anew.
"""

import random
import struct
from collections.abc import Iterable, Mapping
from enum import IntEnum
from pathlib import Path, PurePath
from typing import NamedTuple

SECTOR_BYTES = 512
HEAD = struct.Struct("=B7xQqII")


class Act(IntEnum):
    """What a record of the log says; the numbers are those of the shim."""

    MARK = 1
    OPEN = 2
    CREATE = 3
    WRITE = 4
    TRUNCATE = 5
    SYNC = 6
    SYNC_DIRECTORY = 7
    RENAME = 8
    UNLINK = 9


TURNING_POINTS = frozenset((Act.MARK, Act.CREATE, Act.TRUNCATE, Act.SYNC, Act.RENAME, Act.UNLINK))
"""Where a cut is most likely to find a mistake."""


class Record(NamedTuple):
    """One thing that a program did to its directory."""

    act: Act
    name: str
    inode: int = 0
    offset: int = 0
    """Of a write; for a truncation the new size."""
    data: bytes = b""


def read_log(path: Path) -> list[Record]:
    """The records in the order in which things happened."""
    raw = path.read_bytes()
    records, at = [], 0
    while at < len(raw):
        act, inode, offset, name_bytes, data_bytes = HEAD.unpack_from(raw, at)
        data_at = at + HEAD.size + name_bytes
        at = data_at + data_bytes
        name = PurePath(raw[data_at - name_bytes : data_at].decode()).name
        records.append(Record(Act(act), name, inode, offset, raw[data_at:at]))
    return records


def choose_cut(records: list[Record], rng: random.Random) -> int:
    """How many records happen before the power goes: anywhere, or, as often, right after a turning point."""
    if rng.random() < 0.5:
        return rng.randint(1, len(records))
    turns = [number for number, record in enumerate(records, start=1) if record.act in TURNING_POINTS]
    return min(len(records), rng.choice(turns) + rng.choice((0, 0, 0, 1, 2)))


class Inode:
    """One file, whatever its name: the bytes that are safe, and what has been done to it since."""

    def __init__(self, content: bytes = b"") -> None:
        self.safe = bytearray(content)
        self.pending: list[Record] = []

    def sync(self) -> None:
        """Make everything safe that was done before."""
        for record in self.pending:
            apply(self.safe, record)
        self.pending.clear()

    def seen(self) -> bytes:
        """The bytes as every program sees them, synced or not."""
        content = bytearray(self.safe)
        for record in self.pending:
            apply(content, record)
        return bytes(content)

    def survivors(self, rng: random.Random) -> bytes:
        """The bytes after a power cut, one possibility of many."""
        content = bytearray(self.safe)
        keep, tear = rng.choice((0.0, 0.5, 0.9, 1.0)), rng.choice((0.0, 0.0, 0.3))
        for record in self.pending:
            if record.act is Act.WRITE and rng.random() < tear:
                for piece in sectors(record):
                    if rng.random() < 0.5:
                        apply(content, piece)
            elif rng.random() < keep:
                apply(content, record)
        return bytes(content)


def apply(content: bytearray, record: Record) -> None:
    """Do to some bytes what was done to a file."""
    end = record.offset + len(record.data)
    if record.act is Act.TRUNCATE:
        del content[record.offset :]
    content.extend(bytes(max(0, end - len(content))))
    content[record.offset : end] = record.data


def sectors(write: Record) -> Iterable[Record]:
    """One write as the disk sees it: cut at the sectors of the file."""
    at, end = write.offset, write.offset + len(write.data)
    while at < end:
        upto = min(end, (at // SECTOR_BYTES + 1) * SECTOR_BYTES)
        yield write._replace(offset=at, data=write.data[at - write.offset : upto - write.offset])
        at = upto


class Disk:
    """One directory while a program works in it, and what may be left of it when the power goes."""

    def __init__(self, before: Mapping[str, bytes]) -> None:
        self._safe_names = {name: Inode(content) for name, content in before.items()}
        self._names = dict(self._safe_names)
        self._pending_names: list[dict[str, Inode | None]] = []
        """Changes of the directory, in order: from now on these names are those files, or none."""
        self._inodes: dict[int, Inode] = {}

    def do(self, records: Iterable[Record]) -> None:
        """Let the program do what it did."""
        for record in records:
            if record.act in (Act.OPEN, Act.CREATE):
                self._open(record)
            elif record.act in (Act.WRITE, Act.TRUNCATE):
                self._inodes[record.inode].pending.append(record)
            elif record.act is Act.SYNC:
                self._sync(self._inodes[record.inode])
            elif record.act is Act.SYNC_DIRECTORY:
                self._keep_names(len(self._pending_names))
            elif record.act is Act.RENAME:
                target = PurePath(record.data.decode()).name
                self._change_names({record.name: None, target: self._names[record.name]})
            elif record.act is Act.UNLINK:
                self._change_names({record.name: None})

    def seen(self) -> dict[str, bytes]:
        """The files as a program leaves them that is killed now."""
        return {name: inode.seen() for name, inode in self._names.items()}

    def image(self, rng: random.Random) -> dict[str, bytes]:
        """The files after a power cut now, one possibility of many."""
        names = dict(self._safe_names)
        rename_all(names, self._pending_names[: rng.randint(0, len(self._pending_names))])
        return {name: inode.survivors(rng) for name, inode in names.items()}

    def _open(self, record: Record) -> None:
        if record.act is Act.CREATE:
            self._change_names({record.name: Inode()})
        self._inodes[record.inode] = self._names[record.name]

    def _sync(self, inode: Inode) -> None:
        inode.sync()
        about = [number for number, change in enumerate(self._pending_names, 1) if inode in change.values()]
        self._keep_names(max(about, default=0))

    def _change_names(self, change: dict[str, Inode | None]) -> None:
        rename_all(self._names, [change])
        self._pending_names.append(change)

    def _keep_names(self, count: int) -> None:
        rename_all(self._safe_names, self._pending_names[:count])
        del self._pending_names[:count]


def rename_all(names: dict[str, Inode], changes: Iterable[dict[str, Inode | None]]) -> None:
    """Carry out changes of a directory, in order; each of them wholly."""
    for change in changes:
        for name, inode in change.items():
            names.pop(name, None)
            if inode is not None:
                names[name] = inode
