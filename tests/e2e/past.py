"""Reading the journal of a router over its wire, as ENTRIES."""

from collections.abc import Callable
from typing import NamedTuple

from clasp_journal import value as values
from clasp_journal.entry import JournalEntry
from router.wire.messages import Entries, JournalDo, JournalDone, Replay, ReplayExtension
from tests.e2e.peer import Peer

READER = 4_000
"""The id under which the past is read, which the tests do not use otherwise."""


class Past(NamedTuple):
    """What a journal has told."""

    epoch: str
    entries: list[JournalEntry]
    incomplete: bool = False


async def read_past(peer: Peer, pattern: str = "/**", **wishes: object) -> Past:
    """All entries that there are, or those behind a number; nothing else may be heard meanwhile."""
    limit = wishes.pop("limit", None)
    extension = ReplayExtension(READER, as_entries=True, **wishes)
    await peer.say(Replay(pattern, limit=limit, extension=extension))
    entries: list[JournalEntry] = []
    incomplete = False
    while True:
        part = await peer.hear(Entries)
        assert part.id == READER
        entries += part.entries
        incomplete |= part.incomplete
        if part.caught_up:
            return Past(part.epoch, entries, incomplete)


async def entries_until(peer: Peer, wanted: Callable[[JournalEntry], bool], count: int) -> list[JournalEntry]:
    """Read what a follower is sent, until so many wanted entries have come; only these."""
    found: list[JournalEntry] = []
    while len(found) < count:
        message = (await peer.hear_any()).message
        if isinstance(message, Entries):
            found += filter(wanted, message.entries)
    assert len(found) == count
    return found


async def ask_journal(peer: Peer, verb: str, **arguments: object) -> dict[str, object]:
    """Have the journal do something that succeeds; its result."""
    answer = await ask_journal_anything(peer, verb, **arguments)
    assert answer.status == 0, answer.result
    return answer.result


async def ask_journal_anything(peer: Peer, verb: str, **arguments: object) -> JournalDone:
    """Have the journal do something; its answer."""
    await peer.say(JournalDo(READER, verb, values.encode(arguments)))
    answer = await peer.hear(JournalDone)
    assert answer.id == READER
    return answer
