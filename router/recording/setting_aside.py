"""A journal that opened and then turned out to be damaged makes room for a new one.

Law: it is renamed, never overwritten, by whoever holds the right to write it; the new name is logged.
"""

from __future__ import annotations

import asyncio
import logging
import os

from clasp_journal.errors import JournalCorrupt
from clasp_journal.sqlite.locking import WriterLock
from clasp_journal.sqlite.trouble import set_aside

log = logging.getLogger("router.journal")


async def make_room(path: str, damage: JournalCorrupt) -> None:
    """Rename a journal that is closed."""
    path = await asyncio.to_thread(os.path.realpath, path)
    lock = await WriterLock.acquire(path)
    try:
        name = await asyncio.to_thread(set_aside, path)
    finally:
        lock.release()
    log.error("%s; it was set aside as %s, and a new journal begins", damage, name)
