"""One writer per journal, kept by the kernel.

Law: whoever holds the `flock` on `PATH.lock` writes; it ends with its holder, however that ends. The file
says who it is, and is never removed: another process may already wait on it.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import time
from typing import Self

from clasp_journal.errors import JournalLocked, JournalUnavailable
from clasp_journal.sqlite.trouble import telling

RETRY_S = 0.02
_TOLD_MAX_BYTES = 4096


class WriterLock:
    """The right to write a journal."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    async def acquire(cls, path: str, url: str | None = None, wait_s: float = 0.0) -> Self:
        """Take the lock of the database at `path`, waiting up to `wait_s` for its holder to leave."""
        deadline_s = time.monotonic() + wait_s
        while True:
            descriptor = await _try_lock_in_thread(path, url)
            if descriptor is not None:
                return cls(descriptor)
            if time.monotonic() >= deadline_s:
                raise JournalLocked(
                    f"another process is writing it: {await asyncio.to_thread(_holder, path)}",
                    path=path,
                    operation="open",
                )
            await asyncio.sleep(RETRY_S)

    def release(self) -> None:
        """Let others write."""
        os.close(self._descriptor)


async def _try_lock_in_thread(path: str, url: str | None) -> int | None:
    attempt = asyncio.get_running_loop().run_in_executor(None, _try_lock, path, url)
    try:
        return await asyncio.shield(attempt)
    except asyncio.CancelledError:
        attempt.add_done_callback(_let_go)
        raise


def _let_go(attempt: asyncio.Future[int | None]) -> None:
    """Give a lock back that was only got when nobody waited for it any more."""
    if not attempt.cancelled() and attempt.exception() is None:
        descriptor = attempt.result()
        if descriptor is not None:
            os.close(descriptor)


def _try_lock(path: str, url: str | None) -> int | None:
    folder = os.path.dirname(path)
    if folder and not os.path.exists(folder):
        raise JournalUnavailable(f"there is no folder {folder}", path=path, operation="open")
    if not os.access(folder or ".", os.W_OK) and not os.access(path + ".lock", os.W_OK):
        raise JournalUnavailable("this user may not write in its folder", path=path, operation="open")
    with telling(path + ".lock", "lock"):
        descriptor = os.open(path + ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            told = json.dumps({"pid": os.getpid(), "url": url}) + "\n"
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, told.encode(), 0)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
    return descriptor


def holder_of(path: str) -> str | None:
    """Who writes the journal at `path`; None if nobody does. To see it, the lock is shared for a moment."""
    try:
        descriptor = os.open(path + ".lock", os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _holder(path)
    finally:
        os.close(descriptor)
    return None


def _holder(path: str) -> str:
    try:
        with open(path + ".lock", "rb") as file:
            told = json.loads(file.read(_TOLD_MAX_BYTES))
        return f"process {told['pid']}" + (f", {told['url']}" if told.get("url") else "")
    except (OSError, ValueError, KeyError, TypeError):
        return "a process that did not say who it is"
