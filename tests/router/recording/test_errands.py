"""What a tool can ask of a live journal: every verb, its result, and what is said when it cannot be."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal import value as values
from clasp_journal.entry import EntryKind, JournalEntry
from clasp_journal.memory import MemoryJournal
from clasp_journal.restore import fold
from router.recording.errands import STATE_PAGE_BYTES
from router.wire.codec import encode
from router.wire.codes import JournalStatus
from router.wire.messages import JournalDone, Set
from tests.router.recording.history import SOMEBODY, Recorded, packet, sets
from tests.router.recording.keeping_books import expected, local, record
from tests.router.wire.strategies import any_values, texts


async def ask(recorder, verb, arguments=None):
    """JournalStatus and result of a verb; every answer fits into a frame."""
    status, encoded = await recorder.do(verb, values.encode(arguments or {}), "somebody")
    encode(JournalDone(1, status, encoded))
    return JournalStatus(status), values.decode(encoded)


async def whole_state(recorder, arguments):
    """All pages of a state, put together."""
    found, after = {}, None
    while True:
        page = dict(arguments) if after is None else {**arguments, "after": after}
        status, result = await ask(recorder, "state", page)
        assert status is JournalStatus.DONE
        found |= {param["address"]: param for param in result["params"]}
        after = result["next"]
        if after is None:
            return result["seq"], found


def described(param):
    """A param as `state` tells it."""
    return {
        "address": param.address,
        "encoded": param.encoded,
        "revision": param.revision,
        "writer": param.writer,
        "timestamp": param.timestamp,
        "ttl": param.ttl,
    }


def live(entries):
    """What `state` has to tell after these entries."""
    return {address: described(param) for address, param in fold(None, entries).live.items()}


async def test_stats_say_what_is_there():
    """Epoch, numbers, count, and what kind of journal it is."""
    async with local(MemoryJournal(capacity=10)) as (recorder, listener):
        await record(recorder, listener, [sets(15)])
        status, result = await ask(recorder, "stats")
        assert status is JournalStatus.DONE
        assert result == {
            "epoch": recorder.epoch,
            "latest_seq": 15,
            "oldest_seq": 6,
            "entries": 10,
            "backend": "MemoryJournal",
        }


async def test_state_is_told_at_any_instant():
    """Now, at a number, at a time; times between entries mean the entry before."""
    packets = [sets(30, now=1_000)]
    entries = expected(packets)
    async with local() as (recorder, listener):
        await record(recorder, listener, packets)
        assert await whole_state(recorder, {}) == (30, live(entries))
        assert await whole_state(recorder, {"at_seq": 12}) == (12, live(entries[:12]))
        assert await whole_state(recorder, {"at_seq": 99}) == (30, live(entries))
        assert await whole_state(recorder, {"at_us": 1_011}) == (12, live(entries[:12]))
        assert await whole_state(recorder, {"at_us": 999}) == (0, {})
        assert await whole_state(recorder, {"at_us": 9_999, "limit": 3}) == (30, live(entries))
        assert set((await whole_state(recorder, {"pattern": "/a/1*"}))[1]) == {"/a/1"}


async def test_state_with_large_values_comes_in_pages_that_fit():
    """Each has at least one param, and none is too large for a frame."""
    large = [
        Recorded(Set(f"/large/{at}", values.encode(bytes(size)), 1), SOMEBODY, at)
        for at, size in enumerate((64_900, 30_000, 30_000, 30_000, 64_900, 10))
    ]
    async with local() as (recorder, listener):
        await record(recorder, listener, [large])
        assert await whole_state(recorder, {}) == (6, live(expected([large])))
        status, result = await ask(recorder, "state")
        assert status is JournalStatus.DONE
        assert len(result["params"]) == 1
        assert STATE_PAGE_BYTES < 64_900


async def test_a_state_that_is_gone_is_said_to_be():
    """The ring has turned over since."""
    async with local(MemoryJournal(capacity=10)) as (recorder, listener):
        await record(recorder, listener, [sets(15)])
        for arguments in ({"at_seq": 3}, {"at_us": 1_002}):
            status, result = await ask(recorder, "state", arguments)
            assert status is JournalStatus.INCOMPLETE
            assert "gone" in result["reason"]


async def test_a_snapshot_can_be_asked_for():
    """It is true at the end."""
    journal = MemoryJournal()
    async with local(journal) as (recorder, listener):
        await record(recorder, listener, [sets(7)])
        assert await ask(recorder, "snapshot") == (JournalStatus.DONE, {"seq": 7})
        assert (await journal.load_snapshot()).at_seq == 7


async def test_a_mark_is_an_entry_of_its_own_kind():
    """With its name, a message, and whoever made it; at a time that can be chosen."""
    journal = MemoryJournal()
    async with local(journal) as (recorder, listener):
        await record(recorder, listener, [sets(1)])
        marked = {"mark": "doors open", "message": "late", "at_us": 77}
        assert await ask(recorder, "mark", marked) == (
            JournalStatus.DONE,
            {"seq": 2, "timestamp": 77},
        )
        (mark,) = await journal.query(kinds=[EntryKind.MARK])
        details = values.encode({"mark": "doors open", "message": "late"})
        assert mark == JournalEntry(77, "somebody", "", EntryKind.MARK, seq=2, details=details)


async def test_compacting_removes_what_is_old():
    """Before a number or before a time."""
    async with local() as (recorder, listener):
        await record(recorder, listener, [sets(30, now=1_000)])
        assert await ask(recorder, "compact", {"before_seq": 11}) == (
            JournalStatus.DONE,
            {"removed": 10, "oldest_seq": 11},
        )
        assert (await ask(recorder, "compact", {"before_us": 1_020}))[1] == {"removed": 10, "oldest_seq": 21}
        assert (await whole_state(recorder, {}))[0] == 30


async def test_compacting_what_is_gone_already_removes_nothing():
    """That nothing older is left is what was asked for, not a fault."""
    async with local() as (recorder, listener):
        await record(recorder, listener, [sets(30, now=1_000)])
        await ask(recorder, "compact", {"before_us": 1_020})
        for before_us in (1_020, 1_005):
            assert await ask(recorder, "compact", {"before_us": before_us}) == (
                JournalStatus.DONE,
                {"removed": 0, "oldest_seq": 21},
            )


async def test_an_author_is_forgotten_and_the_state_stays():
    """Whoever asked for it is named in the entry that says so; a state that was told is not told again."""
    journal = MemoryJournal()
    async with local(journal) as (recorder, listener):
        await record(recorder, listener, [sets(5)])
        (wrote,) = {entry.author for entry in await journal.query()}
        present = await whole_state(recorder, {})
        await whole_state(recorder, {"at_seq": 3})
        assert await ask(recorder, "forget", {"author": "nobody"}) == (JournalStatus.DONE, {"removed": 0})
        assert await ask(recorder, "forget", {"author": wrote}) == (JournalStatus.DONE, {"removed": 5})
        (*blanks, act) = await journal.query(kinds=[EntryKind.FORGET])
        assert [entry.seq for entry in blanks] == [1, 2, 3, 4, 5]
        assert (act.seq, act.author) == (6, "somebody")
        assert (await whole_state(recorder, {}))[1:] == present[1:]
        assert (await ask(recorder, "state", {"at_seq": 3}))[0] is JournalStatus.INCOMPLETE


@pytest.mark.parametrize(
    ("verb", "arguments", "status"),
    [
        ("dance", {}, JournalStatus.UNKNOWN_VERB),
        ("forget", {}, JournalStatus.BAD_ARGUMENTS),
        ("forget", {"author": ""}, JournalStatus.BAD_ARGUMENTS),
        ("forget", {"author": 7}, JournalStatus.BAD_ARGUMENTS),
        ("stats", {"colour": 1}, JournalStatus.BAD_ARGUMENTS),
        ("state", {"at_seq": "seven"}, JournalStatus.BAD_ARGUMENTS),
        ("state", {"at_us": -1}, JournalStatus.BAD_ARGUMENTS),
        ("state", {"pattern": "no pattern"}, JournalStatus.BAD_ARGUMENTS),
        ("mark", {}, JournalStatus.BAD_ARGUMENTS),
        ("mark", {"mark": 3}, JournalStatus.BAD_ARGUMENTS),
        ("compact", {}, JournalStatus.BAD_ARGUMENTS),
        ("compact", {"before_seq": 1, "before_us": 1}, JournalStatus.BAD_ARGUMENTS),
        ("compact", {"before_seq": 1, "force": 1}, JournalStatus.BAD_ARGUMENTS),
    ],
)
async def test_what_cannot_be_done_is_said_with_a_reason(verb, arguments, status):
    """A status for a program, words for a person."""
    async with local() as (recorder, _):
        answered, result = await ask(recorder, verb, arguments)
        assert answered is status
        assert result["reason"]


@pytest.mark.property
@given(st.sampled_from(("stats", "state", "mark", "compact", "snapshot")) | texts, any_values)
def test_whatever_is_asked_is_answered(verb, arguments):
    """With a status that has a name and a map that can be sent; never with an exception."""

    async def scenario():
        async with local() as (recorder, listener):
            await record(recorder, listener, [sets(3)])
            status, encoded = await recorder.do(verb, values.encode(arguments), "somebody")
            assert JournalStatus(status) in JournalStatus
            encode(JournalDone(1, status, encoded))

    asyncio.run(scenario())


async def test_paging_through_a_state_sees_one_instant():
    """Later entries do not mix into the pages that follow, if they ask for the number of the first."""
    async with local() as (recorder, _):
        recorder.submit(packet(sets(10)), synced=False)
        _, first = await ask(recorder, "state", {"limit": 5})
        recorder.submit(packet(sets(10, start=10)), synced=False)
        _, second = await ask(recorder, "state", {"at_seq": first["seq"], "after": first["next"]})
        told = {p["address"]: p for p in first["params"] + second["params"]}
        assert told == live(expected([sets(10)]))


async def test_the_longest_params_of_the_longest_addresses_can_be_paged_through():
    """Each fills an answer by itself; where to go on is then told without saying the address again."""
    addresses = [f"/{letter * 1_023}" for letter in "abc"]
    large = [Set(address, values.encode(bytes(63_970)), 1) for address in addresses]
    async with local() as (recorder, listener):
        await record(recorder, listener, [[Recorded(what, SOMEBODY, 5) for what in large]])
        after = ""
        for address in addresses:
            status, page = await ask(recorder, "state", {"after": after})
            assert (status, [param["address"] for param in page["params"]]) == (JournalStatus.DONE, [address])
            assert page["next"] is (None if address == addresses[-1] else True)
            after = address


@pytest.mark.parametrize("within", [("/**",), ("/a/**", "/none")])
async def test_state_and_notes_are_narrowed_to_what_somebody_may_know(within):
    """Params of open addresses; of the notes those that tell of holes, and no name in them."""
    knows_all = within == ("/**",)
    async with local() as (recorder, listener):
        await record(recorder, listener, [sets(2), sets(1, "/b")])
        for verb, arguments in (("mark", {"mark": "show"}), ("forget", {"author": SOMEBODY.name})):
            assert (await ask(recorder, verb, arguments))[0] is JournalStatus.DONE
        _, state = await recorder.do("state", values.encode({}), "", within)
        told = {param["address"] for param in values.decode(state)["params"]}
        assert told == ({"/a/0", "/a/1", "/b"} if knows_all else {"/a/0", "/a/1"})
        _, notes = await recorder.do("notes", values.encode({}), "", within)
        kinds = {EntryKind.FORGET, EntryKind.MARK} if knows_all else {EntryKind.FORGET}
        assert {note["kind"] for note in values.decode(notes)["entries"]} == kinds
        assert (SOMEBODY.name.encode() in notes) == knows_all
