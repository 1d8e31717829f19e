"""Snapshots: where they are true, which one is found, which ones stay, and the states they tell."""

from __future__ import annotations

from collections.abc import Iterator

from clasp_journal.entry import ParamSnapshot, absolute_ttl
from clasp_journal.journal import Journal
from clasp_journal.restore import KeptSnapshot, Snapshot
from clasp_journal.snapshot_thinning import NEWEST_KEPT
from clasp_journal.testing.samples import (
    START_US,
    Make,
    a_series,
    has_expired,
    must_raise,
    must_tell_states,
    stored,
    was_published,
    was_set,
)
from clasp_journal.value import encode


class _Interrupted(Exception):
    """What an iterable raises in the middle of a snapshot."""


def _param(address: str, revision: int = 1) -> ParamSnapshot:
    return ParamSnapshot(address, encode(revision), revision, "desk", START_US + revision)


async def _load(journal: Journal, at_seq: int | None = None) -> Snapshot:
    snapshot = await journal.load_snapshot(at_seq)
    assert snapshot is not None, f"no snapshot at or before {at_seq}"
    return snapshot


async def check_there_is_no_snapshot_at_first(make: Make) -> None:
    """Entries alone make none."""
    async with await make() as journal:
        assert await journal.load_snapshot() is None
        assert await journal.snapshots() == []
        await journal.append(a_series(3))
        assert await journal.load_snapshot() is None
        assert await journal.load_snapshot(2) is None


async def check_a_snapshot_comes_back_as_it_was(make: Make) -> None:
    """Values to the bit, tombstones, TTLs, writers, order and the revision floor."""
    params = [
        ParamSnapshot("/z", encode([1, "two", None]), 7, "desk", START_US, absolute_ttl(60)),
        ParamSnapshot("/null", b"\x00", 1, "", START_US + 5, 0),
        ParamSnapshot("/narrow", b"\x02\xff", 2**40, "Jürgen", START_US + 1, 30),
        ParamSnapshot("/nan", b"\x07\x7f\xf8\x00\x00\x00\x00\x00\x01", 3, "desk", 0),
        ParamSnapshot("/gone/2", None, 9, "desk", START_US + 2),
        ParamSnapshot("/gone/1", None, 4, "desk", START_US + 3),
    ]
    async with await make() as journal:
        await journal.append(a_series(5))
        assert await journal.snapshot(params, revision_floor=12) == 5, "it is true after the latest entry"
        snapshot = await _load(journal)
        assert snapshot.at_seq == 5
        assert snapshot.params == params, f"params came back as {snapshot.params}"
        assert snapshot.revision_floor == 12
        assert snapshot.taken > 0, "when it was written is known"
        await journal.append(a_series(1))
        assert (await _load(journal)).at_seq == 5, "later entries do not move it"
        assert await journal.snapshots() == [KeptSnapshot(5, snapshot.taken, len(params))]


async def check_many_params_come_back_in_order(make: Make) -> None:
    """A snapshot may be long, and any iterable."""
    params = [_param(f"/p/{n * 7919 % 3_001}", n + 1) for n in range(3_001)]
    async with await make() as journal:
        await journal.append(was_set("/a"))
        assert await journal.snapshot(iter(params)) == 1
        assert (await _load(journal)).params == params


async def check_an_empty_journal_can_have_a_snapshot(make: Make) -> None:
    """A state may come from elsewhere, before the first entry."""
    async with await make() as journal:
        assert await journal.snapshot([_param("/a", 3)]) == 0
        assert (await _load(journal)).params == [_param("/a", 3)]
        await journal.append(was_set("/b"))
        assert set((await journal.state()).live) == {"/a", "/b"}


async def check_the_newest_snapshot_before_an_instant_is_found(make: Make) -> None:
    """At or before; in whatever order they were written."""
    async with await make() as journal:
        await journal.append(a_series(10))
        for at_seq in (8, 2, 5):
            assert await journal.snapshot([_param("/a", at_seq)], at_seq) == at_seq
        for asked, wanted in ((2, 2), (4, 2), (5, 5), (7, 5), (8, 8), (10, 8), (None, 8)):
            snapshot = await _load(journal, asked)
            assert snapshot.at_seq == wanted, f"at or before {asked}: {snapshot.at_seq}, not {wanted}"
            assert snapshot.params == [_param("/a", wanted)]
        assert await journal.load_snapshot(1) is None


async def check_a_snapshot_beyond_the_latest_is_refused(make: Make) -> None:
    """Nobody knows the state after an entry that does not exist."""
    async with await make() as journal:
        await journal.append(a_series(3))
        await must_raise(ValueError, journal.snapshot([], 4), "a snapshot after entry 4 of 3")
        await must_raise(ValueError, journal.snapshot([], -1), "a snapshot before the beginning")
        assert await journal.load_snapshot() is None, "a refused snapshot was kept"


async def check_a_snapshot_that_fails_is_not_there(make: Make) -> None:
    """An iterable that raises in the middle leaves the one before."""
    async with await make() as journal:
        await journal.append(a_series(3))
        await journal.snapshot([_param("/a")], 2)
        await must_raise(_Interrupted, journal.snapshot(_interrupted_after(1_500)), "snapshot")
        snapshot = await _load(journal)
        assert (snapshot.at_seq, snapshot.params) == (2, [_param("/a")])


def _interrupted_after(count: int) -> Iterator[ParamSnapshot]:
    for n in range(count):
        yield _param(f"/broken/{n}")
    raise _Interrupted


async def check_a_second_snapshot_at_one_place_wins(make: Make) -> None:
    """The newer one is the better informed."""
    async with await make() as journal:
        await journal.append(a_series(3))
        await journal.snapshot([_param("/a", 1)])
        await journal.snapshot([_param("/a", 2), _param("/b", 1)])
        assert (await _load(journal)).params == [_param("/a", 2), _param("/b", 1)]


async def check_old_snapshots_are_thinned_out(make: Make) -> None:
    """Of many that are close together the newest four and the base stay."""
    async with await make() as journal:
        await journal.append(a_series(10))
        for at_seq in range(1, 11):
            await journal.snapshot([_param("/a", at_seq)], at_seq)
        found = [(await _load(journal, at_seq)).at_seq for at_seq in range(1, 11)]
        assert found == [1] * (10 - NEWEST_KEPT) + list(range(11 - NEWEST_KEPT, 11)), f"kept: {found}"


async def check_every_state_is_the_fold_of_what_came_before(make: Make) -> None:
    """SETs, PUBLISHes, expiries and revivals, with and without snapshots in between."""
    entries = [
        was_set("/a", 1, 1),
        was_set("/b", "x", 2)._replace(revision=5, ttl=30),
        was_published("/a", 99, 3),
        has_expired("/b", 5, 4),
        was_set("/b", None, 5),
        has_expired("/a", 1, 6),
        was_set("/c", b"\x00", 7),
        has_expired("/never", 3, 8),
    ]
    async with await make() as journal:
        kept = await stored(journal, entries)
        await must_tell_states(journal, kept, 0)
        for at_seq in (6, 3):
            state = await journal.state(at_seq)
            await journal.snapshot(state.params(), at_seq, revision_floor=state.revision_floor)
        await must_tell_states(journal, kept, 0)


async def check_a_state_starts_from_the_newest_snapshot(make: Make) -> None:
    """What a snapshot says is the truth up to its number; only later entries are applied to it."""
    async with await make() as journal:
        await journal.append(a_series(10))
        await journal.snapshot([_param("/only/here", 4)], 8, revision_floor=6)
        state = await journal.state()
        assert set(state.live) == {"/only/here", "/a"}
        assert state.live["/a"].revision == 8, "two entries follow, above a floor of 6"
        assert set((await journal.state(7)).live) == {"/a"}
        assert set((await journal.state(8)).live) == {"/only/here"}
