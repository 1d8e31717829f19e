"""What several writers did to a router, and what its journal may therefore say after a restart.

Laws: every SET and every event carries a value that is never sent again, so each entry has one sender; what
was acknowledged must be there, once, as acknowledged; what was sent and not acknowledged may be there, and
nothing else; of a bundle all parts are there, next to each other, or none.
"""

import asyncio
import itertools
import random
from typing import NamedTuple

from clasp_journal.entry import EntryKind, JournalEntry, ParamSnapshot
from router.wire.messages import Ack, Bundle, Publish, Set
from tests.e2e.peer import Closed, Peer, make_event, make_set, packed

WINDOW = 60
"""What one writer sends before it waits for ACKs."""
OWN_PARAMS = 5
SHARED_PARAMS = 3
SHARED_SHARE = 0.3
EVENT_SHARE = 0.1
BUNDLE_SHARE = 0.1
BUNDLE_PARTS_MAX = 8


class Sent(NamedTuple):
    """One request that a writer has sent: a SET, an event, or a bundle of them."""

    session: str
    number: int
    """Later requests of a session have higher ones."""
    parts: tuple[Set | Publish, ...]
    is_bundle: bool

    @property
    def qos_that_is_acknowledged(self) -> int:
        """An event alone needs 2."""
        return 1 if self.is_bundle or isinstance(self.parts[0], Set) else 2

    @property
    def message(self) -> Set | Publish | Bundle:
        """What is sent."""
        return Bundle(list(self.parts)) if self.is_bundle else self.parts[0]


class Ledger:
    """The book of everything that was sent, acknowledged, and found in the journal."""

    def __init__(self) -> None:
        self.acknowledged: list[tuple[Sent, int | None]] = []
        """Since the last look into the journal, with the revision that was told."""
        self.entries: list[JournalEntry] = []
        """What the journal has told, from the first entry on."""
        self.params: dict[str, ParamSnapshot] = {}
        """The state that these entries lead to."""
        self._sent: dict[bytes, Sent] = {}
        """By value."""
        self._numbers = itertools.count(1)
        self._grown = asyncio.Event()

    def next_request(self, peer: Peer, writer: int, rng: random.Random) -> Sent:
        """Something for a writer to send."""
        is_bundle = rng.random() < BUNDLE_SHARE
        count = rng.randint(1, BUNDLE_PARTS_MAX) if is_bundle else 1
        parts = tuple(self._next_part(writer, rng) for _ in range(count))
        sent = Sent(peer.session, next(self._numbers), parts, is_bundle)
        self._sent.update((part.encoded, sent) for part in parts)
        return sent

    def _next_part(self, writer: int, rng: random.Random) -> Set | Publish:
        number = next(self._numbers)
        value = rng.choice((number, number + 0.5, f"{number}", f"{number}".encode(), [number, {"n": None}]))
        place = f"own/{writer}/{rng.randrange(OWN_PARAMS)}"
        if rng.random() < SHARED_SHARE:
            place = f"shared/{rng.randrange(SHARED_PARAMS)}"
        make = make_event if rng.random() < EVENT_SHARE else make_set
        return make(f"/load/{place}", value)

    def acknowledge(self, sent: Sent, ack: Ack) -> None:
        """The router has promised something."""
        assert ack.address == (None if sent.is_bundle else sent.parts[0].address)
        self.acknowledged.append((sent, ack.revision))
        self._grown.set()

    async def until_acknowledged(self, count: int) -> None:
        """Wait until so much was promised since the last look."""
        while len(self.acknowledged) < count:
            self._grown.clear()
            await self._grown.wait()

    def check_new(self, new: list[JournalEntry]) -> None:
        """Hold the entries since the last look against the book, and enter them."""
        first = len(self.entries) + 1
        assert [entry.seq for entry in new] == list(range(first, first + len(new)))
        found: dict[int, list[JournalEntry]] = {}
        last_of: dict[str, int] = {}
        for entry in new:
            sent = self._sent.pop(entry.encoded, None)
            assert sent is not None, f"{entry} was not sent, or is there twice"
            assert entry.author == sent.session
            assert sent.number >= last_of.get(sent.session, 0), "entries of a session are out of order"
            last_of[sent.session] = sent.number
            found.setdefault(sent.number, []).append(entry)
            check_whole(sent, found[sent.number])
            self._apply(entry)
        for sent, revision in self.acknowledged:
            entries = found.get(sent.number, [])
            assert len(entries) == len(sent.parts), f"{sent} was acknowledged and is gone"
            revisions = [entry.revision for entry in entries if entry.revision is not None]
            assert revision == (revisions[-1] if revisions else None)
        torn = [sent for sent in self._sent.values() if sent.number in found]
        assert not torn, "a bundle is there in part"
        self.entries += new
        self.acknowledged.clear()
        self._sent.clear()

    def _apply(self, entry: JournalEntry) -> None:
        if entry.kind is EntryKind.PUBLISH:
            return
        known = self.params.get(entry.address)
        assert entry.revision == (known.revision + 1 if known else 1), "a revision is missing or given twice"
        self.params[entry.address] = ParamSnapshot(
            entry.address, entry.encoded, entry.revision, entry.author, entry.timestamp
        )


def check_whole(sent: Sent, entries: list[JournalEntry]) -> None:
    """The entries of one request so far are its parts, in order and next to each other."""
    part, entry = sent.parts[len(entries) - 1], entries[-1]
    assert (entry.address, entry.encoded) == (part.address, part.encoded)
    assert (entry.kind is EntryKind.SET) == isinstance(part, Set)
    assert entry.seq == entries[0].seq + len(entries) - 1, "something stands between the parts of a bundle"


async def write_until_cut_off(peer: Peer, writer: int, seed: str, ledger: Ledger) -> Closed:
    """Send with every QoS and count the ACKs, until the connection ends; how it did."""
    rng = random.Random(f"{seed}, writer {writer}")
    window = asyncio.Semaphore(WINDOW)
    owed: asyncio.Queue[Sent] = asyncio.Queue()

    async def send() -> None:
        while True:
            await window.acquire()
            sent = ledger.next_request(peer, writer, rng)
            qos = rng.choices((0, 1, 2), (1, 8, 2))[0]
            if qos >= sent.qos_that_is_acknowledged:
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
            ledger.acknowledge(owed.get_nowait(), ack)
            window.release()

    sending = asyncio.create_task(send())
    closed = await count()
    sending.cancel()
    await asyncio.wait([sending])
    return closed
