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
from tests.e2e.peer import make_event, make_set

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


class Account:
    """What one session has sent since the last look into the journal, and what it was answered."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.sent: list[Sent] = []
        self.owed: list[Sent] = []
        """Those that are to be acknowledged."""
        self.acks: list[Ack] = []
        self.refusals = 0

    def count_lost(self, found: dict[int, list[JournalEntry]]) -> int:
        """How much was acknowledged and is not there; all else that was said has to be so.

        ACKs come in the order of requests: who has one is among the first that are in the journal.
        """
        kept = [sent for sent in self.owed if sent.number in found]
        # Among requests that were refused, it is the number that tells.
        promised = kept if self.refusals else self.owed[: len(self.acks)]
        lost = len(self.acks) - sum(sent.number in found for sent in promised[: len(self.acks)])
        if lost:
            return lost
        for sent, ack in zip(kept, self.acks, strict=False):
            revisions = [entry.revision for entry in found[sent.number] if entry.revision is not None]
            assert len(found[sent.number]) == len(sent.parts), f"{sent} was acknowledged and is there in part"
            assert ack.address == (None if sent.is_bundle else sent.parts[0].address)
            assert ack.revision == (revisions[-1] if revisions else None)
        applied = sum(sent.number in found for sent in self.sent)
        assert applied + self.refusals <= len(self.sent), "refused, and there all the same"
        return 0


class Ledger:
    """The book of everything that was sent, answered, and found in the journal."""

    def __init__(self) -> None:
        self.last_seq = 0
        """Up to where the journal was looked at."""
        self.params: dict[str, ParamSnapshot] = {}
        """The state that its entries lead to."""
        self.lost = 0
        """How much was acknowledged and is not there."""
        self.promises = 0
        """ACKs since the last look."""
        self._accounts: list[Account] = []
        self._sent: dict[bytes, Sent] = {}
        """By value."""
        self._numbers = itertools.count(1)
        self._grown = asyncio.Event()

    def open_account(self, session: str) -> Account:
        """Somebody begins to send."""
        self._accounts.append(Account(session))
        return self._accounts[-1]

    def next_request(self, account: Account, writer: int, rng: random.Random) -> Sent:
        """Something for a writer to send."""
        is_bundle = rng.random() < BUNDLE_SHARE
        count = rng.randint(1, BUNDLE_PARTS_MAX) if is_bundle else 1
        parts = tuple(self._next_part(writer, rng) for _ in range(count))
        return self._note(account, parts, is_bundle)

    def last_request(self, account: Account, writer: int) -> Sent:
        """The last thing that a writer sends; no other request has its address."""
        return self._note(account, (make_set(last_address(writer), next(self._numbers)),), False)

    def _note(self, account: Account, parts: tuple[Set | Publish, ...], is_bundle: bool) -> Sent:
        sent = Sent(account.session, next(self._numbers), parts, is_bundle)
        self._sent.update((part.encoded, sent) for part in parts)
        account.sent.append(sent)
        return sent

    def _next_part(self, writer: int, rng: random.Random) -> Set | Publish:
        number = next(self._numbers)
        value = rng.choice((number, number + 0.5, f"{number}", f"{number}".encode(), [number, {"n": None}]))
        place = f"own/{writer}/{rng.randrange(OWN_PARAMS)}"
        if rng.random() < SHARED_SHARE:
            place = f"shared/{rng.randrange(SHARED_PARAMS)}"
        make = make_event if rng.random() < EVENT_SHARE else make_set
        return make(f"/load/{place}", value)

    def count_promise(self) -> None:
        """The router has promised something."""
        self.promises += 1
        self._grown.set()

    async def until_promised(self, count: int) -> None:
        """Wait until so much was promised since the last look."""
        while self.promises < count:
            self._grown.clear()
            await self._grown.wait()

    def check_new(self, new: list[JournalEntry]) -> None:
        """Hold the entries since the last look against the book, and enter them."""
        first = self.last_seq + 1
        assert [entry.seq for entry in new] == list(range(first, first + len(new)))
        found: dict[int, list[JournalEntry]] = {}
        last_of: dict[str, int] = {}
        for entry in new:
            if entry.kind not in (EntryKind.SET, EntryKind.PUBLISH):
                continue
            sent = self._sent.pop(entry.encoded, None)
            assert sent is not None, f"{entry} was not sent, or is there twice"
            assert entry.author == sent.session
            assert sent.number >= last_of.get(sent.session, 0), "entries of a session are out of order"
            last_of[sent.session] = sent.number
            found.setdefault(sent.number, []).append(entry)
            check_whole(sent, found[sent.number])
            self._apply(entry)
        torn = [sent for sent in self._sent.values() if sent.number in found]
        assert not torn, "a bundle is there in part"
        self.lost += sum(account.count_lost(found) for account in self._accounts)
        assert not self.lost, "acknowledged, and gone"
        self.last_seq += len(new)
        self.promises = 0
        self._accounts.clear()
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


def last_address(writer: int) -> str:
    """Where a writer says that it has said everything."""
    return f"/load/last/{writer}"
