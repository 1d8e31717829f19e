"""The power may go while a mirror is written: what was synced is on both sides, and they come together again.

Each side is first looked at alone, in a copy; then both are opened together, as a router does it.
"""

import shutil
from pathlib import Path

import pytest

from clasp_journal.errors import JournalCorrupt
from clasp_journal.mirror import parity, rebuild, verify_chain
from clasp_journal.sqlite.journal import SqliteJournal
from tests.crash.model import History
from tests.crash.shim import Shim
from tests.crash.test_power_cut import FILE, SYNCED_SHARES, Bench, cut_the_power

MIRROR = "show.jsonl"


class MirroredBench(Bench):
    """Cuts the power of a journal with a mirror."""

    garbled = 0
    """Cuts that left a line in the middle of the mirror that is not what was written."""
    taken_over = 0
    """Cuts after which the mirror had more than the journal."""
    copied_over = 0
    """Cuts after which the journal had more than the mirror."""

    def _more(self, root: Path) -> tuple[str, ...]:
        return (str(root / MIRROR),)

    async def _judge(self, root: Path, history: History) -> int:
        alone, fresh = root.with_name("alone"), root.with_name("fresh.db")
        shutil.copytree(root, alone)
        await self._judge_each(alone, history)
        shutil.rmtree(alone)
        async with SqliteJournal(root / FILE, mirror=root / MIRROR) as journal:
            latest = await self._check(journal, history)
            kept = await journal.since(0)
            found = await parity(journal, root / MIRROR)
            assert found.is_consistent, found
        chain = verify_chain(root / MIRROR)
        assert (chain.is_intact, chain.torn, chain.last_seq) == (True, None, latest + 1), chain
        async with SqliteJournal(fresh) as journal:
            done = await rebuild(journal, root / MIRROR)
            assert done.parity.is_consistent, done
            came_back = await journal.since(0)
        # A removal that was cut short is a removal for the mirror: it was told first.
        begin = max(entries[0].seq for entries in (kept, came_back))
        assert begin <= max(history.cuts), "nobody removed what did not come back"
        assert came_back[begin - came_back[0].seq :] == kept[begin - kept[0].seq :]
        for path in fresh.parent.glob("fresh.db*"):
            path.unlink()
        return latest

    async def _judge_each(self, root: Path, history: History) -> None:
        """What was synced is on either side; rebuilding adds what only the mirror has, if the chain holds."""
        # What the power left of an earlier life may be on one side only, until both were opened again.
        floor = history.synced if history.epoch else 0
        in_mirror, is_garbled = upto_in_mirror(root / MIRROR)
        assert in_mirror >= floor, "a synced entry is missing in the mirror"
        async with SqliteJournal(root / FILE) as journal:
            in_journal = await journal.latest_seq()
            assert in_journal >= floor, "a synced entry is missing in the journal"
            self.garbled += is_garbled
            self.taken_over += in_mirror > in_journal
            self.copied_over += in_mirror < in_journal
            if not in_mirror:
                return
            if is_garbled:
                with pytest.raises(JournalCorrupt):
                    await rebuild(journal, root / MIRROR)
                assert await journal.latest_seq() == in_journal, "nothing is rebuilt from a broken chain"
                return
            done = await rebuild(journal, root / MIRROR)
            assert not done.parity.differing_count
            assert not done.parity.missing_in_journal.count
            assert await journal.latest_seq() == max(in_journal, in_mirror)


def upto_in_mirror(mirror: Path) -> tuple[int, bool]:
    """The last entry in the part of a mirror that can be trusted, and whether anything broken follows."""
    if not mirror.exists() and not list(mirror.parent.glob(f"{mirror.name}.0*")):
        return 0, False
    chain = verify_chain(mirror)
    return (chain.last_seq, False) if chain.broken is None else (chain.broken.seq - 1, True)


@pytest.mark.parametrize("level", SYNCED_SHARES)
async def test_a_power_cut_takes_nothing_synced_from_either_side(
    shim: Shim, tmp_path: Path, level: str
) -> None:
    """Eight cuts of two lives."""
    await cut_the_power(MirroredBench(shim, tmp_path, level, steps=40), lives=2, cuts=4)


@pytest.mark.soak
@pytest.mark.parametrize("level", SYNCED_SHARES)
async def test_two_hundred_power_cuts_take_nothing_synced_from_either_side(
    shim: Shim, tmp_path: Path, level: str
) -> None:
    """The same for 200 cuts of four lives, some of which leave one side behind the other."""
    bench = MirroredBench(shim, tmp_path, level, steps=400)
    await cut_the_power(bench, lives=4, cuts=50)
    assert bench.taken_over, "no cut came between the mirror and the journal: they are too gentle"
    if level != "fsync":
        assert bench.copied_over
        assert bench.garbled
