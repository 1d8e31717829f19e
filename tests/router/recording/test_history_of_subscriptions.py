"""What a new subscription gets of the past: the newest entries of each address."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal import value as values
from clasp_journal.address import Pattern
from clasp_journal.entry import EntryKind, JournalEntry, SignalType
from clasp_journal.memory import MemoryJournal
from clasp_journal.selection import MESSAGES
from router.recording.requests import HISTORY_BYTES, HistoryRequest
from router.wire.masks import mask_admits
from router.wire.messages import Publish, Set
from tests.router.recording.history import SOMEBODY, Recorded, message_of, messages_of, sets
from tests.router.recording.keeping_books import expected, local, record
from tests.router.recording.recorded import histories

asked = st.builds(
    HistoryRequest,
    st.sampled_from((("/**",), ("/a/**",), ("/a", "/d/e"), ("/a",), ("/nowhere",))),
    per_address=st.integers(0, 4),
    in_all=st.integers(0, 12),
    type_mask=st.integers(0, 255),
    upto_us=st.none() | st.integers(0, 1_100),
)


def newest_of_each(entries, request):
    """The plain way: from the end, as long as an address may have more."""
    patterns = [Pattern.parse(text) for text in request.patterns]
    counts, found = Counter(), []
    for entry in reversed(entries):
        if (
            entry.kind in MESSAGES
            and any(pattern.matches(entry.address) for pattern in patterns)
            and mask_admits(request.type_mask, entry.signal_type)
            and (request.upto_us is None or entry.timestamp <= request.upto_us)
            and counts[entry.address] < request.per_address
            and len(found) < request.in_all
        ):
            counts[entry.address] += 1
            found.append(entry)
    return found[::-1]


@pytest.mark.property
@given(histories(), asked)
def test_history_is_the_newest_of_each_address_in_order(packets, request):
    """As looking back through everything finds it."""

    async def scenario():
        async with local() as (recorder, listener):
            await record(recorder, listener, packets)
            page = await recorder.history(request)
            right = newest_of_each(expected(packets), request)
            assert messages_of(page) == [message_of(entry) for entry in right]
            assert page.entries == len(right)
            assert page.last_seq == page.head == len(expected(packets))

    asyncio.run(scenario())


async def test_a_busy_address_does_not_stand_before_a_quiet_one():
    """The quiet one changed once, thousands of entries ago."""
    async with local() as (recorder, listener):
        await record(recorder, listener, [sets(1, "/quiet"), sets(7_000, "/busy/{}", spread=3)])
        page = await recorder.history(HistoryRequest(("/**",), per_address=2, in_all=100))
        addresses = [message.address for _, message in messages_of(page)]
        assert sorted(addresses) == ["/busy/0"] * 2 + ["/busy/1"] * 2 + ["/busy/2"] * 2 + ["/quiet"]
        assert addresses[0] == "/quiet"


async def test_what_came_after_the_subscription_is_not_of_the_past():
    """It is delivered as it comes, and would be told twice. What is from another life is told in any case."""
    journal = MemoryJournal()
    await journal.append(
        [JournalEntry(1_000, "", "/a", EntryKind.PUBLISH, SignalType.EVENT, values.encode("before"))]
    )
    async with local(journal) as (recorder, listener):
        now = [Recorded(Publish("/a", encoded=values.encode(at)), SOMEBODY, at) for at in range(10)]
        await record(recorder, listener, [now])
        page = await recorder.history(HistoryRequest(("/a",), per_address=3, in_all=100, upto_us=4))
        assert [message.value for _, message in messages_of(page)] == [2, 3, 4]
        page = await recorder.history(HistoryRequest(("/a",), per_address=9, in_all=100, upto_us=4))
        assert [message.value for _, message in messages_of(page)] == ["before", *range(5)]


async def test_history_is_bounded_in_bytes():
    """The newest win."""
    value = values.encode(bytes(60_000))
    count = HISTORY_BYTES // 60_000 + 20
    large = [Recorded(Set(f"/large/{at}", value, 1), SOMEBODY, at) for at in range(count)]
    async with local() as (recorder, listener):
        await record(recorder, listener, [large])
        page = await recorder.history(HistoryRequest(("/**",), per_address=1, in_all=10_000))
        assert HISTORY_BYTES - 70_000 < len(page.blob) <= HISTORY_BYTES
        assert messages_of(page)[-1][1].address == f"/large/{count - 1}"
