"""Files that appear whole, under a name that was free.

Laws: nothing is ever overwritten; until a file is complete and on the disk it has another name, and whatever
ends the work before that takes the unfinished file with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from clasp_journal.errors import JournalUnavailable
from clasp_journal.sqlite.trouble import SIDECARS, telling

_LEFTOVERS = ("", "-journal", "-wal", "-shm", ".lock")


@contextmanager
def fresh_file(target: str) -> Iterator[str]:
    """The name under which the block makes the file; when it ends well, the file gets its own."""
    target = os.path.abspath(target)
    refuse_existing(target)
    unfinished = f"{target}.part-{os.getpid()}"
    try:
        yield unfinished
        _publish(unfinished, target)
    finally:
        remove(unfinished)


def refuse_existing(target: str) -> None:
    """Raise `JournalUnavailable` unless the name is free, and there is a folder for it."""
    for suffix in SIDECARS:
        if os.path.lexists(target + suffix):
            reason = "there is such a file already, and nothing is overwritten"
            raise JournalUnavailable(reason, path=target + suffix)
    folder = os.path.dirname(target) or "."
    if not os.path.isdir(folder):
        raise JournalUnavailable("there is no such folder", path=folder)


def remove(path: str) -> None:
    """Remove a journal that nobody was promised, with all that belongs to it."""
    for suffix in _LEFTOVERS:
        try:
            os.unlink(path + suffix)
        except FileNotFoundError:
            # The work went well and it has its name, or it never began.
            continue


def _publish(unfinished: str, target: str) -> None:
    with telling(target, "write"):
        _sync(unfinished)
        try:
            os.link(unfinished, target)
        except FileExistsError as taken:
            raise JournalUnavailable("there is such a file already", path=target) from taken
        except OSError:
            # Not every file system has hard links.
            refuse_existing(target)
            os.rename(unfinished, target)
        _sync(os.path.dirname(target))


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
