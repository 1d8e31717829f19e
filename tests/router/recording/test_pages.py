"""Pages of history against a list of all entries, looked through one by one."""

import asyncio
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.address import Pattern
from clasp_journal.selection import MESSAGES
from router.recording.requests import PageRequest
from router.wire.masks import mask_admits
from tests.router.recording.history import entries_of, message_of, messages_of
from tests.router.recording.keeping_books import expected, local, record
from tests.router.recording.recorded import ADDRESSES, histories
from tests.router.wire.strategies import optional

patterns = st.lists(
    st.sampled_from((*ADDRESSES, "/**", "/a/**", "/*", "/*/e", "/nowhere")), min_size=1, max_size=3
).map(tuple)
authors = st.sampled_from((None, "session-1", "subject", "a client", "nobody"))
requests = st.builds(
    PageRequest,
    patterns,
    from_us=optional(st.integers(0, 1_100)),
    to_us=optional(st.integers(0, 1_100)),
    limit=optional(st.integers(1, 12)),
    type_mask=st.integers(0, 255),
    author=authors,
    after_seq=st.integers(0, 12),
    upto_seq=optional(st.integers(0, 40)),
    epoch=st.none(),
    newest=st.booleans(),
    wait=st.just(False),
    entries_id=optional(st.integers(0, 9)),
    journal_kinds=st.booleans(),
)


def wanted(entries, request):
    """What the answer has to hold, the plain way."""
    alike = [Pattern.parse(text) for text in request.patterns]
    with_own_kinds = request.journal_kinds and request.entries_id is not None
    found = []
    for entry in entries:
        own = entry.kind not in MESSAGES
        if (
            any(pattern.matches(entry.address) for pattern in alike)
            and (not own or (with_own_kinds and all(mask_admits(request.type_mask, s) for s in range(5))))
            and (own or mask_admits(request.type_mask, entry.signal_type))
            and entry.seq > request.after_seq
            and (request.upto_seq is None or entry.seq <= request.upto_seq)
            and (request.from_us is None or entry.timestamp >= request.from_us)
            and (request.to_us is None or entry.timestamp <= request.to_us)
            and (request.author is None or request.author in (entry.author, entry.name))
        ):
            found.append(entry)
    if request.limit is None:
        return found
    return found[-request.limit :] if request.newest else list(islice(found, request.limit))


async def read_all(recorder, request):
    """Ask for page after page."""
    pages = []
    while True:
        page = await recorder.page(request)
        pages.append(page)
        if page.done:
            return pages
        request = request.following(page)


def check(pages, entries, request):
    """Compare pages with the list."""
    right = wanted(entries, request)
    assert sum(page.entries for page in pages) == len(right)
    assert [page.done for page in pages] == [False] * (len(pages) - 1) + [True]
    assert not any(page.incomplete for page in pages)
    if request.entries_id is None:
        assert [one for page in pages for one in messages_of(page)] == [message_of(one) for one in right]
        return
    messages = [message for page in pages for message in entries_of(page)]
    assert [entry for message in messages for entry in message.entries] == right
    assert [message.caught_up for message in messages] == [False] * (len(messages) - 1) + [True]
    assert {message.id for message in messages} == {request.entries_id}
    assert {message.head for message in messages} == {len(entries)}


@pytest.mark.property
@given(histories(), st.lists(requests, min_size=1, max_size=5))
def test_pages_hold_what_looking_through_everything_finds(packets, asked):
    """In every mode: plain and ENTRIES, oldest and newest, by pattern, time, type, author and number."""

    async def scenario():
        entries = expected(packets)
        async with local() as (recorder, listener):
            await record(recorder, listener, packets)
            for request in asked:
                check(await read_all(recorder, request), entries, request)

    asyncio.run(scenario())
