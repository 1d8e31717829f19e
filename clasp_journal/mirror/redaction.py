"""Forgetting in a mirror: lines lose their content and keep its digest, so that the chain still holds.

Laws: only what a `forget` or `removed` entry, or line, behind it covers is forgotten; every hash stays
what it was; a file gets its new content in one step, when that is whole and on the disk.
"""

from __future__ import annotations

import os

from clasp_journal.mirror.chain import MORE, Chain
from clasp_journal.mirror.options import MirrorOptions
from clasp_journal.mirror.packing import create_packed
from clasp_journal.mirror.removals import Removals, read_removals
from clasp_journal.mirror.segments import PART, all_segments, open_segment, remove_leftovers, sync_folder
from clasp_journal.mirror.trouble import broken_mirror, telling
from clasp_journal.mirror.walking import Walk
from clasp_journal.mirror.writing import Mirror


def forget_lines(file: str | os.PathLike[str]) -> int:
    """Replace what was removed on purpose by its digest; returns how many lines. No journal may write it."""
    path = os.fspath(file)
    mirror = Mirror(MirrorOptions(path))
    try:
        if mirror.broken is not None:
            raise broken_mirror(mirror.broken)
        with telling(path, "forget"):
            removals = read_removals(path)
            chain = Chain()
            # A second copy of a file would still tell what is forgotten in the first.
            remove_leftovers(path)
            if removals.is_empty:
                return 0
            return sum(_rewrite(name, chain, removals) for name in all_segments(path))
    finally:
        mirror.release()


def count_forgettable(file: str | os.PathLike[str]) -> int:
    """How many lines `forget_lines` would replace."""
    path = os.fspath(file)
    with telling(path, "read"):
        removals = read_removals(path)
        lines = iter(()) if removals.is_empty else iter(Walk(path))
        return sum(1 for line in lines if line.seq and line.body and removals.cover(line.seq, line.body))


def _rewrite(file: str, chain: Chain, removals: Removals) -> int:
    """Write one file anew, if it has something to forget."""
    unfinished, forgotten = file + PART, 0
    with open_segment(file) as lines, create_packed(unfinished, os.path.splitext(file)[1]) as target:
        for raw in lines:
            if raw[-1:] != b"\n":
                # Torn: the writer will cut it off.
                break
            line = chain.follow(raw)
            if line.body and line.seq and removals.cover(line.seq, line.body):
                more = MORE if chain.in_append else b""
                raw = b'{"seq":%d,"digest":"%b"%b,"hash":"%b"}\n' % (
                    line.seq,
                    line.digest.hex().encode(),
                    more,
                    chain.head.hex().encode(),
                )
                forgotten += 1
            target.write(raw)
    if not forgotten:
        os.unlink(unfinished)
        return 0
    with open(unfinished, "rb") as whole:
        os.fsync(whole.fileno())
    os.rename(unfinished, file)
    sync_folder(file)
    return forgotten
