"""What bounds a page, what it says about gaps, and how it waits."""

import asyncio
import time

import pytest

from clasp_journal import value as values
from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.memory import MemoryJournal
from clasp_journal.sqlite import SqliteJournal
from clasp_journal.testing.samples import a_series, was_set
from router.recording.clerk import LOOK_EVERY_S
from router.recording.gaps import Gaps
from router.recording.pages import make_page
from router.recording.requests import PAGE_BYTES, PAGE_ENTRIES, PageRequest
from router.wire.messages import Set
from router.wire.packing import unpack
from tests.router.recording.history import (
    SOMEBODY,
    Recorded,
    entries_of,
    messages_of,
    packet,
    sets,
)
from tests.router.recording.keeping_books import local, record

EVERYTHING = PageRequest(("/**",))
FOLLOWERS = 400
COMMITS = 30


async def test_a_page_is_bounded_in_entries():
    """A thousand entries and one come in three pages, each with the place where the next begins."""
    async with local() as (recorder, listener):
        await record(recorder, listener, [sets(2 * PAGE_ENTRIES + 1)])
        request, counts = EVERYTHING, []
        for _ in range(3):
            page = await recorder.page(request)
            counts.append(page.entries)
            request = request.following(page)
        assert counts == [PAGE_ENTRIES, PAGE_ENTRIES, 1]
        assert page.done


@pytest.mark.parametrize("entries_id", [None, 4])
async def test_a_page_is_bounded_in_bytes(entries_id):
    """Large values make small pages; none is lost, none is more than one value over the bound."""
    value = values.encode(bytes(60_000))
    large = [Recorded(Set(f"/large/{at}", value, 1), SOMEBODY, at) for at in range(30)]
    async with local() as (recorder, listener):
        await record(recorder, listener, [large])
        request, found, done = EVERYTHING._replace(entries_id=entries_id), 0, False
        while not done:
            page = await recorder.page(request)
            assert len(page.blob) < PAGE_BYTES + 70_000
            assert all(len(frame) <= 65_547 for frame in unpack(page.blob))
            found += page.entries
            request, done = request.following(page), page.done
        assert found == len(large)


async def test_what_has_fallen_out_of_the_ring_is_told():
    """A page that should begin with it says that it is incomplete; one that begins later does not."""
    async with local(MemoryJournal(capacity=10)) as (recorder, listener):
        await record(recorder, listener, [sets(15)])
        whole = await recorder.page(EVERYTHING)
        assert (whole.entries, whole.incomplete) == (10, True)
        assert not (await recorder.page(EVERYTHING._replace(after_seq=5))).incomplete
        assert (await recorder.page(EVERYTHING._replace(after_seq=4))).incomplete
        assert not (await recorder.page(EVERYTHING._replace(from_us=1_005))).incomplete
        assert (await recorder.page(EVERYTHING._replace(from_us=1_004))).incomplete
        assert not (await recorder.page(EVERYTHING._replace(limit=10, newest=True))).incomplete
        assert (await recorder.page(EVERYTHING._replace(limit=11, newest=True))).incomplete


async def test_only_the_first_of_several_messages_says_incomplete():
    """And only the last that the end is reached."""
    value = values.encode(bytes(40_000))
    large = [Recorded(Set(f"/large/{at}", value, 1), SOMEBODY, at) for at in range(4)]
    async with local(MemoryJournal(capacity=3)) as (recorder, listener):
        await record(recorder, listener, [large])
        messages = entries_of(await recorder.page(EVERYTHING._replace(entries_id=1)))
        assert [message.incomplete for message in messages] == [True, False, False]
        assert [message.caught_up for message in messages] == [False, False, True]


async def test_the_number_of_another_life_is_not_trusted():
    """Where it lies beyond the end, only what comes next can be told, and that something is missing."""
    async with local() as (recorder, listener):
        await record(recorder, listener, [sets(5)])
        lost = await recorder.page(EVERYTHING._replace(after_seq=90, epoch="another life"))
        assert (lost.entries, lost.last_seq, lost.done, lost.incomplete) == (0, 5, True, True)
        known = await recorder.page(EVERYTHING._replace(after_seq=4, epoch=recorder.epoch))
        assert (known.entries, known.incomplete) == (1, False)


async def test_a_number_that_this_life_never_gave_is_another_lifes():
    """A copy that was put back has the name of the epoch and fewer entries: what it lacks is told, what comes
    is sent."""
    async with local() as (recorder, listener):
        await record(recorder, listener, [sets(5)])
        lost = await recorder.page(EVERYTHING._replace(after_seq=90, epoch=recorder.epoch))
        assert (lost.entries, lost.last_seq, lost.done, lost.incomplete) == (0, 5, True, True)
        level = await recorder.page(EVERYTHING._replace(after_seq=5, epoch=recorder.epoch))
        assert (level.entries, level.incomplete) == (0, False)


async def test_the_newest_none_end_where_the_journal_does():
    """So who follows after that gets nothing of the past."""
    async with local() as (recorder, listener):
        await record(recorder, listener, [sets(5)])
        page = await recorder.page(EVERYTHING._replace(newest=True, limit=0))
        assert (page.entries, page.last_seq, page.done, page.incomplete) == (0, 5, True, False)


@pytest.mark.parametrize("limit", [5, 150])
async def test_what_was_forgotten_behind_the_newest_is_missing_from_them(limit):
    """It would have been one of them."""
    others = was_set("/mine", 1)._replace(author="them")
    async with MemoryJournal() as journal:
        await journal.append([*(was_set("/ours", at) for at in range(200)), others])
        await journal.forget("them")
        newest = PageRequest(("/ours",), limit=limit, newest=True)
        page = await make_page(journal, newest, Gaps(journal))
        assert (page.entries, page.done, page.incomplete) == (limit, True, True)


@pytest.mark.parametrize("steps", range(8))
async def test_what_goes_while_it_is_looked_for_is_told(steps):
    """Between two steps of a search, too."""
    noise, ours = a_series(3_000, "/noise"), was_set("/ours", 1)._replace(author="us")
    async with MemoryJournal(capacity=6_000) as journal:
        await journal.append([*noise, ours])
        asked = asyncio.create_task(make_page(journal, PageRequest(("/**",), author="us"), Gaps(journal)))
        for _ in range(steps):
            await asyncio.sleep(0)
        await journal.append([*noise, *noise])
        page = await asked
        assert page.entries == 1 or page.incomplete


async def test_nothing_to_tell_is_still_an_answer_in_entries():
    """A message without entries says that the end is reached; plain pages just end."""
    async with local() as (recorder, _):
        (message,) = entries_of(await recorder.page(EVERYTHING._replace(entries_id=2)))
        assert (message.id, message.entries, message.caught_up) == (2, [], True)
        assert (await recorder.page(EVERYTHING)).blob == b""


async def test_following_waits_for_what_matches():
    """The answer comes with the first matching entry, and everything between was looked at."""
    async with local() as (recorder, listener):
        await record(recorder, listener, [sets(5)])
        follow = PageRequest(("/b/**",), after_seq=5, wait=True)
        waiting = asyncio.create_task(recorder.page(follow))
        await record(recorder, listener, [sets(3, start=5)])
        assert not waiting.done()
        await record(recorder, listener, [sets(2, "/b/{}")])
        page = await waiting
        assert (page.entries, page.last_sent, page.last_seq) == (2, 10, 10)
        assert [message.address for _, message in messages_of(page)] == ["/b/0", "/b/1"]


async def test_following_answers_at_once_when_there_is_something():
    """Waiting begins only at the end of history."""
    async with local() as (recorder, listener):
        await record(recorder, listener, [sets(5)])
        page = await recorder.page(EVERYTHING._replace(after_seq=3, wait=True))
        assert page.entries == 2


class Watched(MemoryJournal):
    """Counts how often somebody looked at it."""

    looks = 0

    async def page(self, *arguments, **options):
        self.looks += 1
        return await super().page(*arguments, **options)


async def test_idle_followers_do_not_all_look_after_every_commit():
    """They look one after the other, so that a thousand of them are no burden; each sees what is for it."""
    journal = Watched()
    async with local(journal) as (recorder, listener):
        follow = PageRequest(("/b",), wait=True)
        began_s = time.monotonic()
        waiting = [asyncio.create_task(recorder.page(follow)) for _ in range(FOLLOWERS)]
        for _ in range(COMMITS):
            await record(recorder, listener, [sets(1, "/a")])
            # Whoever looks because of that commit stands before this question.
            await asyncio.sleep(0)
            await recorder.page(EVERYTHING)
        turns = (time.monotonic() - began_s) / LOOK_EVERY_S
        # Each of them has looked once without a turn, and so has whoever asked after each commit.
        assert journal.looks < 2 * FOLLOWERS + turns
        await record(recorder, listener, [sets(1, "/b")])
        assert {page.entries for page in await asyncio.gather(*waiting)} == {1}


async def test_a_wait_can_be_cancelled():
    """Nothing is left of it, and the recorder goes on."""
    async with local() as (recorder, listener):
        waiting = asyncio.create_task(recorder.page(EVERYTHING._replace(wait=True)))
        await recorder.page(EVERYTHING)
        waiting.cancel()
        assert isinstance((await asyncio.gather(waiting, return_exceptions=True))[0], asyncio.CancelledError)
        await record(recorder, listener, [sets(1)])
        assert (await recorder.page(EVERYTHING)).entries == 1


async def test_a_page_sees_what_was_submitted_before_it():
    """A question stands behind the packets that came first, though they are not committed when it is put."""
    async with local() as (recorder, _):
        for at in range(20):
            recorder.submit(packet(sets(1, start=at)), synced=False)
        assert (await recorder.page(EVERYTHING)).entries == 20


async def test_a_gap_makes_what_spans_it_incomplete(tmp_path):
    """By number and by time; what lies wholly on one side of it does not."""
    gap = JournalEntry(1_020, "", "", EntryKind.GAP, details=values.encode({"from": 1_010, "to": 1_020}))
    for journal in (MemoryJournal(), SqliteJournal(tmp_path / "show.db")):
        async with local(journal) as (recorder, listener):
            await record(recorder, listener, [sets(5, now=1_000)])
            assert not (await recorder.page(EVERYTHING)).incomplete
            await record(recorder, listener, [[Recorded(gap, SOMEBODY, 0)], sets(5, now=1_030)])
            incomplete = {}
            for bounds in (
                {},
                {"after_seq": 5},
                {"after_seq": 6},
                {"upto_seq": 5},
                {"limit": 5},
                {"from_us": 1_015},
                {"from_us": 1_021},
                {"to_us": 1_009},
                {"newest": True, "limit": 5},
                {"patterns": ("/a/1",)},
            ):
                page = await recorder.page(EVERYTHING._replace(**bounds))
                incomplete[tuple(bounds.items())] = page.incomplete
            assert list(incomplete.values()) == [1, 1, 0, 0, 0, 1, 0, 0, 0, 1]


FAR = (1 << 64) - 1


@pytest.mark.parametrize(
    ("bounds", "entries"),
    [
        ({"from_us": FAR}, 0),
        ({"to_us": FAR}, 6),
        ({"after_seq": FAR}, 0),
        ({"upto_seq": FAR}, 6),
        ({"limit": (1 << 32) - 1, "newest": True, "to_us": FAR}, 6),
        ({"limit": 0}, 0),
        ({"limit": 0, "newest": True}, 0),
        ({"limit": 0, "wait": True}, 0),
    ],
)
async def test_bounds_as_far_as_the_wire_can_count_are_just_far(tmp_path, bounds, entries):
    """In memory and in a file."""
    for journal in (MemoryJournal(), SqliteJournal(tmp_path / "show.db")):
        async with local(journal) as (recorder, listener):
            await record(recorder, listener, [sets(6)])
            page = await recorder.page(EVERYTHING._replace(**bounds))
            assert (page.entries, page.done, page.incomplete) == (entries, True, False)


async def test_an_entry_that_fits_no_frame_is_left_out_and_told():
    """Only an import can bring one in; it must not break the answer."""
    journal = MemoryJournal()
    huge = JournalEntry(1, "x", "/huge", EntryKind.SET, None, values.encode(bytes(65_530)), 1)
    await journal.append([huge._replace(address="/small", encoded=b"\x00"), huge])
    async with local(journal) as (recorder, _):
        page = await recorder.page(EVERYTHING)
        assert [message.address for _, message in messages_of(page)] == ["/small"]
        assert page.incomplete
        (message,) = entries_of(await recorder.page(EVERYTHING._replace(entries_id=1)))
        assert (len(message.entries), message.incomplete) == (1, True)
