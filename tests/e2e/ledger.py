"""What several writers did to a router, and what its journal may therefore say after a restart.

Laws: every SET and every event carries a value that is never sent again, so each entry has one sender; what
was acknowledged must be there, once, as acknowledged; what was sent and not acknowledged may be there, and
nothing else.
"""

import asyncio
import itertools
import random
from typing import NamedTuple

from clasp_journal.entry import EntryKind, JournalEntry, ParamSnapshot
from router.wire.messages import Ack, Publish, Set
from tests.e2e.peer import Closed, Peer, make_event, make_set, packed

WINDOW = 60
"""What one writer sends before it waits for ACKs."""
OWN_PARAMS = 5
SHARED_PARAMS = 3


class Sent(NamedTuple):
    """One message that a writer has sent."""

    session: str
    number: int
    """Later messages of a session have higher ones."""
    message: Set | Publish


class Ledger:
    """The book of everything that was sent, acknowledged, and found in the journal."""

    def __init__(self) -> None:
        self.sent: dict[bytes, Sent] = {}
        """By value."""
        self.acknowledged: list[tuple[Sent, int | None]] = []
        """Since the last look into the journal, with the revision that was told."""
        self.entries: list[JournalEntry] = []
        """What the journal has told, from the first entry on."""
        self.params: dict[str, ParamSnapshot] = {}
        """The state that these entries lead to."""
        self._numbers = itertools.count(1)
        self._grown = asyncio.Condition()

    def next_message(self, peer: Peer, writer: int, rng: random.Random) -> Sent:
        """Something for a writer to send."""
        number = next(self._numbers)
        value = rng.choice((number, number + 0.5, f"{number}", f"{number}".encode(), [number, {"n": None}]))
        place = f"own/{writer}/{rng.randrange(OWN_PARAMS)}"
        if rng.random() < 0.3:
            place = f"shared/{rng.randrange(SHARED_PARAMS)}"
        make = make_event if rng.random() < 0.1 else make_set
        message = make(f"/load/{place}", value)
        sent = Sent(peer.session, number, message)
        self.sent[message.encoded] = sent
        return sent

    async def acknowledge(self, sent: Sent, ack: Ack) -> None:
        """The router has promised something."""
        assert ack.address == sent.message.address
        assert (ack.revision is None) == isinstance(sent.message, Publish)
        async with self._grown:
            self.acknowledged.append((sent, ack.revision))
            self._grown.notify_all()

    async def until_acknowledged(self, count: int) -> None:
        """Wait until so much was promised since the last look."""
        async with self._grown:
            await self._grown.wait_for(lambda: len(self.acknowledged) >= count)

    def check_new(self, new: list[JournalEntry]) -> None:
        """Hold the entries since the last look against the book, and enter them."""
        first = len(self.entries) + 1
        assert [entry.seq for entry in new] == list(range(first, first + len(new)))
        seen: dict[bytes, JournalEntry] = {}
        last_of: dict[str, int] = {}
        for entry in new:
            sent = self.sent.pop(entry.encoded, None)
            assert sent is not None, f"{entry} was not sent, or is there twice"
            assert (entry.author, entry.address) == (sent.session, sent.message.address)
            assert sent.number > last_of.get(sent.session, 0), "entries of a session are out of order"
            last_of[sent.session] = sent.number
            seen[entry.encoded] = entry
            self._apply(entry, sent)
        for sent, revision in self.acknowledged:
            entry = seen.get(sent.message.encoded)
            assert entry is not None, f"{sent} was acknowledged and is gone"
            assert entry.revision == revision
        self.entries += new
        self.acknowledged.clear()
        self.sent.clear()

    def _apply(self, entry: JournalEntry, sent: Sent) -> None:
        if entry.kind is EntryKind.PUBLISH:
            assert isinstance(sent.message, Publish)
            return
        known = self.params.get(entry.address)
        assert entry.revision == (known.revision + 1 if known else 1), "a revision is missing or given twice"
        self.params[entry.address] = ParamSnapshot(
            entry.address, entry.encoded, entry.revision, entry.author, entry.timestamp
        )


async def write_until_cut_off(peer: Peer, writer: int, seed: str, ledger: Ledger) -> Closed:
    """Send with every QoS and count the ACKs, until the connection ends; how it did."""
    rng = random.Random(f"{seed}, writer {writer}")
    window = asyncio.Semaphore(WINDOW)
    owed: asyncio.Queue[Sent] = asyncio.Queue()

    async def send() -> None:
        while True:
            await window.acquire()
            sent = ledger.next_message(peer, writer, rng)
            qos = 2 if isinstance(sent.message, Publish) else rng.choices((0, 1, 2), (1, 8, 1))[0]
            if qos:
                owed.put_nowait(sent)
            else:
                window.release()
            try:
                await peer.say_bytes(packed(sent.message, qos))
            except ConnectionError:
                return

    async def count() -> Closed:
        while True:
            try:
                ack = await peer.hear(Ack)
            except Closed as closed:
                return closed
            await ledger.acknowledge(owed.get_nowait(), ack)
            window.release()

    sending = asyncio.create_task(send())
    closed = await count()
    sending.cancel()
    await asyncio.wait([sending])
    return closed
