"""What a doctor looks at: whether a machine and a folder are good for a journal, and how the file does.

Law: nothing is changed. To time the disk, a small file is written beside the journal, and removed.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from clasp_journal.errors import JournalError
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.sqlite.locking import holder_of

SYNCS = 9
SLOW_SYNC_S = 0.05
LITTLE_BYTES = 1 << 30
TOO_LITTLE_BYTES = 64 << 20
LONG_LOG_BYTES = 256 << 20
AHEAD_US = 1_000_000

_FAR_AWAY = ("nfs", "cifs", "smb", "afs", "9p", "ceph", "gluster", "fuse.sshfs", "davfs", "vboxsf", "prl_fs")
"""File systems on which locks or shared memory cannot be relied on."""
_FLEETING = ("tmpfs", "ramfs")


class Finding(NamedTuple):
    """One thing that was looked at."""

    check: str
    verdict: str
    """`ok`, `warn`, or `bad`: a journal should not be kept here like this."""
    finding: str


async def examine(path: str) -> list[Finding]:
    """Everything that can be told about a journal and where it is kept; the file need not be there yet."""
    path = await asyncio.to_thread(os.path.realpath, path)
    found = [sqlite_version(sqlite3.sqlite_version_info)]
    found += await asyncio.to_thread(_surroundings, path)
    if await asyncio.to_thread(os.path.exists, path):
        found += await _journal(path)
    else:
        found.append(Finding("journal", "warn", f"there is no file {path} yet"))
    return found


def sqlite_version(version: tuple[int, ...]) -> Finding:
    """Which SQLite it is, and what is known to be wrong with it."""
    text = "SQLite " + ".".join(map(str, version))
    if version < (3, 38):
        return Finding("sqlite", "bad", f"{text} is too old: 3.38 or newer is needed")
    has_reset_bug = version < (3, 51, 3) and version not in ((3, 50, 7), (3, 44, 6))
    if has_reset_bug or version == (3, 52, 0):
        bug = "has the WAL-reset bug, which takes two connections that write or checkpoint at once"
        return Finding("sqlite", "ok", f"{text} {bug}: a journal has one, so it is not met")
    return Finding("sqlite", "ok", text)


def _surroundings(path: str) -> list[Finding]:
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        return [Finding("folder", "bad", f"there is no folder {folder}")]
    return [file_system(folder, _mounts()), _free_disk(folder), _sync_time(folder), _log(path), _lock(path)]


def _mounts() -> list[tuple[str, str]]:
    """Where file systems are mounted, and of which kind they are; empty where the system does not tell."""
    try:
        lines = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return []
    cells = (line.split() for line in lines)
    return [(cell[1].replace("\\040", " "), cell[2]) for cell in cells if len(cell) > 2]


def file_system(folder: str, mounts: list[tuple[str, str]]) -> Finding:
    """What kind of file system the folder is on."""
    kinds = [
        (point, kind)
        for point, kind in mounts
        if point == "/" or folder == point or folder.startswith(point + "/")
    ]
    if not kinds:
        return Finding("file system", "warn", "this system does not tell its kind")
    point, kind = max(enumerate(kinds), key=lambda each: (len(each[1][0]), each[0]))[1]
    if kind.startswith(_FAR_AWAY):
        return Finding("file system", "bad", f"{kind} at {point}: locks over a network cannot be relied on")
    if kind in _FLEETING:
        return Finding("file system", "warn", f"{kind} at {point}: what is kept there ends with the machine")
    return Finding("file system", "ok", f"{kind} at {point}")


def _free_disk(folder: str) -> Finding:
    free = shutil.disk_usage(folder).free
    verdict = "bad" if free < TOO_LITTLE_BYTES else "warn" if free < LITTLE_BYTES else "ok"
    return Finding("disk", verdict, f"{_megabytes(free)} free")


def _sync_time(folder: str) -> Finding:
    times_s = []
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            for _ in range(SYNCS):
                file.write(b"\0" * 4096)
                file.flush()
                began_s = time.monotonic()
                os.fsync(file.fileno())
                times_s.append(time.monotonic() - began_s)
    except OSError as error:
        return Finding("fsync", "warn", f"nothing can be written here: {error.strerror}")
    middle_s = statistics.median(times_s)
    text = f"{middle_s * 1000:.2f} ms, at most {max(times_s) * 1000:.2f} ms"
    return Finding("fsync", "warn" if middle_s > SLOW_SYNC_S else "ok", text)


def _log(path: str) -> Finding:
    try:
        size_bytes = os.stat(path + "-wal").st_size
    except OSError:
        return Finding("log", "ok", "no write-ahead log: nobody has the journal open")
    verdict = "warn" if size_bytes > LONG_LOG_BYTES else "ok"
    return Finding("log", verdict, f"{_megabytes(size_bytes)} of write-ahead log")


def _lock(path: str) -> Finding:
    holder = holder_of(path)
    return Finding("lock", "ok", "nobody writes it" if holder is None else f"held by {holder}")


async def _journal(path: str) -> list[Finding]:
    try:
        async with SqliteJournal(path, read_only=True) as journal:
            entries, latest = await journal.len(), await journal.latest_seq()
            snapshots = await journal.snapshots()
            last = await journal.since(latest - 1) if entries else []
    except JournalError as error:
        return [Finding("journal", "bad", str(error))]
    size = _megabytes((await asyncio.to_thread(os.stat, path)).st_size)
    behind = latest - snapshots[-1].at_seq if snapshots else entries
    found = [
        Finding("journal", "ok", f"{entries:,} entries, {size}"),
        Finding("snapshots", "ok", f"{len(snapshots)}; {behind:,} entries since the last"),
    ]
    ahead_us = last[-1].timestamp - time.time_ns() // 1_000 if last else 0
    if ahead_us > AHEAD_US:
        text = f"the last entry is {ahead_us / 1e6:,.0f} s ahead: this clock has been set back"
        return [*found, Finding("clock", "warn", text)]
    return [*found, Finding("clock", "ok", "not behind the last entry")]


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 20):,.1f} MiB"
