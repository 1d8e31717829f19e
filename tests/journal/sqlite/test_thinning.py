"""Thinning a file by rules: what stays is what brute force says, whatever the runs, and the state is true."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.rules import Rules
from clasp_journal.sqlite import SqliteJournal, slicing
from clasp_journal.thinned import blank_of, told_by, was_thinned
from tests.journal.sqlite.making import START_US, Growing, expired, facts, folded, was_sent, was_set
from tests.journal.sqlite.test_compaction import after_each_slice, copied

SECOND_US = 1_000_000
LAST_US = START_US + 1_000 * SECOND_US
SAMPLED = Rules(["/x/*/kept keep", "/x/*/last last-only", "/x/** sample 1s"])
COUNT = 3_000


def a_past(count: int = COUNT, step_us: int = 10_000) -> list[JournalEntry]:
    """Three params, one of them kept whole, that change in turn; an event and an end now and then."""
    told = []
    for n in range(count):
        at_us, name = START_US + n * step_us, ("kept", "last", "some")[n % 3]
        if n % 50 == 49:
            told.append(was_sent("/x/1/cue", n, at_us))
        elif n % 70 == 69:
            told.append(expired(f"/x/1/{name}", n, at_us))
        else:
            told.append(was_set(f"/x/1/{name}", f"{name} {n}", at_us, n + 1))
    return told


@pytest.fixture(scope="module")
def growing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Growing]:
    """One journal for all examples; each has an address of its own, and begins where the last one ended."""
    journal = Growing(tmp_path_factory.mktemp("thinning") / "j.db")
    yield journal
    journal.close()


@st.composite
def series(draw: st.DrawFn) -> list[tuple[int, str, int, bool]]:
    """When, of what name, of which kind, and whether the revision is told."""
    at_us, told = 0, []
    for _ in range(draw(st.integers(1, 25))):
        at_us += draw(st.integers(0, 700_000))
        kind = draw(st.sampled_from((EntryKind.SET,) * 4 + (EntryKind.PUBLISH, EntryKind.EXPIRE)))
        told.append((at_us, draw(st.sampled_from("ab")), kind, draw(st.integers(0, 9)) > 0))
    return told


def written(told: list[tuple[int, str, int, bool]], place: str, at_us: int) -> list[JournalEntry]:
    """The entries of a series, which begins with a whole second."""
    entries = []
    for n, (after_us, name, kind, is_told) in enumerate(told):
        revision = n + 1 if is_told else None
        if kind == EntryKind.SET:
            entries.append(was_set(f"{place}/{name}", n, at_us + after_us, revision))
        elif kind == EntryKind.PUBLISH:
            entries.append(was_sent(f"{place}/{name}", n, at_us + after_us))
        else:
            entry = expired(f"{place}/{name}", n + 1, at_us + after_us)
            entries.append(entry._replace(revision=revision))
    return entries


@pytest.mark.property
@given(
    series(),
    st.sampled_from(("last-only", "sample 500ms", "sample 2s")),
    st.lists(st.integers(0, 18), max_size=4),
)
def test_into_however_many_runs_it_is_cut_the_same_stay(
    growing: Growing, told: list[tuple[int, str, int, bool]], words: str, cuts: list[int]
) -> None:
    """As brute force says, where every revision is told; and the state is what it was in any case."""

    async def story(journal: SqliteJournal, latest_seq: int) -> None:
        newest = await journal.query(after_seq=max(latest_seq - 1, 0))
        began_us = max([START_US, *(entry.timestamp for entry in newest)])
        began_us = (began_us // (20 * SECOND_US) + 1) * 20 * SECOND_US
        place = f"/x/{latest_seq}"
        entries = written(told, place, began_us)
        await journal.append(entries)
        rules = Rules([f"{place}/b keep", f"{place}/** {words}"])
        was = facts(await journal.state())
        for cut in [*sorted(cuts), 19]:
            at_us = began_us + cut * SECOND_US
            await journal.thin(rules, before_us=at_us, now_us=at_us)
        assert facts(await journal.state()) == was
        there = await journal.query(after_seq=latest_seq, limit=len(entries))
        wanted = [entry._replace(seq=latest_seq + n) for n, entry in enumerate(entries, 1)]
        if all(is_told for *_, is_told in told):
            gone = superseded(wanted, rules, place)
            wanted = [blank_of(entry) if entry.seq in gone else entry for entry in wanted]
            assert there == wanted
        for here, entry in zip(there, wanted, strict=True):
            assert here == entry or here == blank_of(entry)

    growing.tell(story)


def superseded(entries: list[JournalEntry], rules: Rules, place: str) -> set[int]:
    """Which entries have a later one of their kind in the same period."""
    period_us = rules.lines[1].period_us or 1 << 60
    keys = [(e.kind, e.timestamp // period_us) for e in entries]
    return {
        entry.seq
        for at, entry in enumerate(entries)
        if entry.address == f"{place}/a" and entry.kind != EntryKind.EXPIRE
        if any(
            key == keys[at] and later.address == entry.address
            for key, later in zip(keys[at + 1 :], entries[at + 1 :], strict=True)
        )
    }


async def test_states_now_and_at_snapshots_stay_and_nothing_is_wrong(tmp_path: Path) -> None:
    """In between, what is shown is the last that stayed; what is kept whole is whole."""
    told = a_past()
    async with SqliteJournal(tmp_path / "j.db") as journal:
        await journal.append(told[:1_000])
        await journal.snapshot_by_fold()
        await journal.append(told[1_000:])
        at_snapshot = facts(await journal.state(1_000))
        gone = await journal.thin(SAMPLED, before_us=LAST_US)
        assert gone > COUNT / 2
        assert facts(await journal.state()) == facts(folded(told))
        assert facts(await journal.state(1_000)) == at_snapshot
        found = await journal.verify()
        assert (found.problems, found.thinned, found.forgotten) == ([], gone, 0)
        left = await journal.query(limit=COUNT)
        assert facts(await journal.state(2_000)) != facts(folded(told[:2_000]))
        kept = [entry._replace(seq=0) for entry in left if entry.address.endswith("kept")]
        assert kept == [entry for entry in told if entry.address.endswith("kept")]
        acts = [act for entry in await journal.query(after_seq=COUNT) if (act := told_by(entry))]
        assert sum(act.entries for act in acts) == gone
        assert [str(act.rule) for act in acts] == ["last-only", "sample 1s"]
        for blank in filter(was_thinned, left):
            assert any(
                act.holds_for(blank.address) and act.first_seq <= blank.seq <= act.last_seq for act in acts
            )
        assert await journal.thin(SAMPLED, before_us=LAST_US) == 0
        assert await journal.len() == COUNT + len(acts)
    async with SqliteJournal(tmp_path / "j.db") as journal:
        assert facts(await journal.state()) == facts(folded(told))
        await journal.compact(1_500)
        assert (await journal.verify()).problems == []


async def test_verify_finds_a_wrong_snapshot_among_what_was_thinned(tmp_path: Path) -> None:
    """As far as entries can tell: of an address whose last entry was not thinned."""
    async with SqliteJournal(tmp_path / "j.db") as journal:
        await journal.append(a_past(90))
        await journal.thin(SAMPLED, before_us=LAST_US)
        params = (await journal.state(40)).params()
        await journal.snapshot([p for p in params if p.address != "/x/1/last"], 40)
        assert (await journal.verify()).problems == []
        await journal.snapshot([p for p in params if p.address != "/x/1/kept"], 41)
        found = await journal.verify()
        assert found.problems == ["the snapshot at entry 41 is not what the entries amount to"]


async def test_the_last_that_stayed_goes_when_a_newer_one_is_old_enough(tmp_path: Path) -> None:
    """Also over runs in which nothing came; other rules are carried out from the beginning."""
    rules = Rules(["/** last-only"])
    async with SqliteJournal(tmp_path / "j.db") as journal:
        for n in range(4):
            await journal.append(was_set("/a", n, START_US + n * SECOND_US, n + 1))
            at_us = START_US + n * SECOND_US
            await journal.thin(rules, before_us=at_us, now_us=at_us)
        left = [entry.value for entry in await journal.query() if entry.kind == EntryKind.SET]
        assert left == [2, 3]
        await journal.append(was_sent("/b", "first", START_US + 5 * SECOND_US))
        await journal.append(was_sent("/b", "second", START_US + 5 * SECOND_US))
        assert await journal.thin(Rules(["/b keep", "/** last-only"]), before_us=LAST_US) == 1
        assert await journal.thin(rules, before_us=LAST_US) == 1


async def test_a_thinning_that_is_cut_anywhere_is_made_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file as it is after a slice is opened as if the process had stopped there: a dozen of them."""
    monkeypatch.setattr(slicing, "ENTRIES_FIRST", 400)
    monkeypatch.setattr(slicing, "ENTRIES_MAX", 400)
    path, told = tmp_path / "j.db", a_past()
    copies: list[Path] = []
    async with SqliteJournal(path) as journal:
        await journal.append(told)
        after_each_slice(monkeypatch, lambda: copies.append(copied(path, tmp_path / f"cut-{len(copies)}.db")))
        await journal.thin(SAMPLED, before_us=LAST_US)
        whole = await journal.query(limit=COUNT)
    assert len(copies) > 3
    for copy in copies[:: max(1, len(copies) // 12)]:
        async with SqliteJournal(copy) as journal:
            acts = [act for entry in await journal.query(after_seq=COUNT) if (act := told_by(entry))]
            for blank in filter(was_thinned, await journal.query(limit=COUNT)):
                assert any(act.first_seq <= blank.seq <= act.last_seq for act in acts)
            assert facts(await journal.state()) == facts(folded(told))
            assert (await journal.verify()).problems == []
            await journal.thin(SAMPLED, before_us=LAST_US)
            assert await journal.query(limit=COUNT) == whole


async def test_entries_get_in_between_the_slices_of_a_thinning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An append does not wait for a long run to be done; a state that is asked for meanwhile is whole."""
    monkeypatch.setattr(slicing, "ENTRIES_FIRST", 100)
    monkeypatch.setattr(slicing, "ENTRIES_MAX", 100)
    async with SqliteJournal(tmp_path / "j.db") as journal:
        await journal.append(a_past())
        live = (await journal.state()).live
        finished = []

        async def thin() -> None:
            await journal.thin(SAMPLED, before_us=LAST_US)
            finished.append("thinning")

        async def append() -> None:
            for n in range(3):
                await journal.append(was_set("/late", n, LAST_US, n + 1))
                finished.append("append")
                state = (await journal.state()).live
                assert {address: param for address, param in state.items() if address != "/late"} == live

        await asyncio.gather(thin(), append())
        assert finished[-1] == "thinning"
