"""The files of a mirror: `show.jsonl`, which grows, and `show.jsonl.000001` and following, which are closed.

Laws: a file is closed by renaming it, after all of it is on the disk; a compressed file gets its name
when it is whole, and only then the other one goes; whatever a crash leaves half done is finished later.
"""

from __future__ import annotations

import os
import re
import shutil
from typing import IO

from clasp_journal.mirror.packing import COMPRESSED, READ_AT_ONCE_BYTES, create_packed, open_packed

PART = ".part"


def closed_segments(path: str) -> list[str]:
    """The closed files, oldest first; of one that is there twice, the one that is not compressed."""
    copies = _closed_copies(path)
    return [copies[number][0] for number in sorted(copies)]


def all_segments(path: str) -> list[str]:
    """Every file of a mirror, oldest first."""
    return [*closed_segments(path), *([path] if os.path.exists(path) else [])]


def remove_leftovers(path: str) -> None:
    """Remove what a crash has left beside the closed files: half-written ones, and second copies."""
    folder, name = os.path.split(os.path.abspath(path))
    unfinished = re.compile(re.escape(name) + r"(\.\d{6,})?(\.gz|\.zst)?" + re.escape(PART))
    left = [os.path.join(folder, entry) for entry in os.listdir(folder) if unfinished.fullmatch(entry)]
    for _, *others in _closed_copies(path).values():
        left += others
    for leftover in left:
        os.unlink(leftover)
    if left:
        sync_folder(path)


def _closed_copies(path: str) -> dict[int, list[str]]:
    """The closed files by number, each with its copies: first the one that is not compressed."""
    folder, name = os.path.split(os.path.abspath(path))
    shape = re.compile(re.escape(name) + r"\.(\d{6,})(?:\.gz|\.zst)?")
    copies: dict[int, list[str]] = {}
    for entry in sorted(os.listdir(folder)):
        matched = shape.fullmatch(entry)
        if matched is not None:
            copies.setdefault(int(matched[1]), []).append(os.path.join(folder, entry))
    return copies


def closed_name(path: str, number: int) -> str:
    """What the file with this number is called once it is closed."""
    return f"{path}.{number:06}"


def open_segment(path: str) -> IO[bytes]:
    """The lines of a file, compressed or not."""
    if not os.path.exists(path):
        # It may have been compressed a moment ago.
        path = next((path + suffix for suffix in COMPRESSED if os.path.exists(path + suffix)), path)
    return open_packed(path)


def sync_folder(path: str) -> None:
    """Take the names in the folder of a file to the disk."""
    descriptor = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def compress_closed(path: str, suffix: str) -> None:
    """Compress every closed file that is not yet compressed."""
    for segment in closed_segments(path):
        if not segment.endswith(COMPRESSED):
            _compress(segment, suffix)


def _compress(segment: str, suffix: str) -> None:
    unfinished = segment + suffix + PART
    with open(segment, "rb") as source, create_packed(unfinished, suffix) as target:
        shutil.copyfileobj(source, target, READ_AT_ONCE_BYTES)
    with open(unfinished, "rb") as whole:
        os.fsync(whole.fileno())
    os.rename(unfinished, segment + suffix)
    sync_folder(segment)
    os.unlink(segment)
