"""What a tool may ask of the journal of a live router: the verbs of JOURNAL_DO, one function each.

Laws: whatever a peer asks, the answer is a status and a map; what reads only, reads what is committed;
a value in an answer is the bytes that were stored. An answer fits into one frame: `state` is paged.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

from clasp_journal import value as values
from clasp_journal.acting.marking import mark_entry
from clasp_journal.address import Pattern
from clasp_journal.entry import EntryKind, JournalEntry, ParamSnapshot
from clasp_journal.errors import BadInput, HistoryIncomplete, JournalError
from clasp_journal.forgetting import is_blank
from clasp_journal.journal import Journal
from clasp_journal.restore import State
from clasp_journal.selection import EVERYTHING, MESSAGES, NO_ADDRESS, Selection
from clasp_journal.travel import first_from, seq_at
from clasp_journal.value import Value
from router.recording.pattern_sets import pattern_of
from router.recording.requests import WHOLE
from router.wire.codes import JournalStatus
from router.wire.frame import PAYLOAD_MAX_BYTES
from router.wire.layouts.history import JOURNAL_DONE_HEAD_BYTES

STATE_PAGE_PARAMS = 500
STATE_PAGE_BYTES = 64_000
PARAM_OVERHEAD_BYTES = 120
"""Params of one answer to `state`, and what one takes beside its texts; the rest is left for the next."""
ANSWER_MAX_BYTES = PAYLOAD_MAX_BYTES - JOURNAL_DONE_HEAD_BYTES
NOTES_PAGE_ENTRIES = 500
SNAPSHOTS_PAGE = 500
OWN_KINDS = frozenset(int(kind) for kind in EntryKind) - MESSAGES
HOLES = frozenset((int(EntryKind.GAP), int(EntryKind.FORGET)))


class Asker(NamedTuple):
    """Who asks, and which addresses they may know of."""

    author: str = ""
    within: tuple[str, ...] = WHOLE


NOBODY = Asker()


class Desk(Protocol):
    """What the verbs need of whoever runs them."""

    @property
    def journal(self) -> Journal:
        """The journal that is asked."""

    async def append_own(self, entry: JournalEntry) -> int:
        """Append an entry of the journal's own kind in turn, and return its number."""

    async def take_snapshot(self) -> int:
        """Take a snapshot now, and return the number it is true at."""

    async def compact(self, before_seq: int, *, force: bool) -> int:
        """Remove old entries, as `Journal.compact` says."""

    async def forget(self, author: str, *, by: str) -> int:
        """Remove what one author wrote, as `Journal.forget` says."""


class Errands:
    """Runs the verbs. Remembers the last state it was asked for, so that paging through it folds once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._journal = desk.journal
        self._state_at = -1
        self._state = State()
        self._addresses: list[str] = []
        self._verbs: Mapping[str, Callable[[_Arguments, Asker], Awaitable[bytes]]] = {
            "stats": self._stats,
            "state": self._state_page,
            "notes": self._notes,
            "snapshot": self._snapshot,
            "snapshots": self._snapshots,
            "mark": self._mark,
            "compact": self._compact,
            "forget": self._forget,
        }

    async def do(self, verb: str, encoded: bytes, asker: Asker = NOBODY) -> tuple[int, bytes]:
        """JournalStatus and encoded result."""
        run = self._verbs.get(verb)
        if run is None:
            return _refusal(JournalStatus.UNKNOWN_VERB, f"there is no verb {verb!r}")
        try:
            result = await run(_Arguments(encoded), asker)
        except NotImplementedError as missing:
            return _refusal(JournalStatus.NOT_SUPPORTED, str(missing))
        except BadInput as fault:
            return _refusal(JournalStatus.BAD_ARGUMENTS, str(fault))
        except HistoryIncomplete as gone:
            return _refusal(JournalStatus.INCOMPLETE, str(gone))
        except JournalError as error:
            return failure(error)
        if len(result) > ANSWER_MAX_BYTES:
            return _refusal(JournalStatus.FAILED, "the answer does not fit into one message")
        return int(JournalStatus.DONE), result

    async def _stats(self, arguments: _Arguments, asker: Asker) -> bytes:
        arguments.expect()
        journal = self._journal
        return values.encode(
            {
                "epoch": journal.epoch,
                "latest_seq": await journal.latest_seq(),
                "oldest_seq": await journal.oldest_seq(),
                "entries": await journal.len(),
                "backend": type(journal).__name__,
            }
        )

    async def _state_page(self, arguments: _Arguments, asker: Asker) -> bytes:
        arguments.expect("at_seq", "at_us", "pattern", "after", "limit")
        at = await self._instant(arguments.integer("at_seq"), arguments.integer("at_us"))
        pattern, within = Pattern.parse(arguments.text("pattern") or "/**"), pattern_of(asker.within)
        after = arguments.text("after") or ""
        limit = min(max(1, arguments.integer("limit") or STATE_PAGE_PARAMS), STATE_PAGE_PARAMS)
        if at != self._state_at:
            self._state, self._state_at = await self._journal.state(at), at
            self._addresses = sorted(self._state.live)
        live, addresses = self._state.live, self._addresses
        behind = (addresses[place] for place in range(bisect_right(addresses, after), len(addresses)))
        asked = (address for address in behind if pattern.matches(address) and within.matches(address))
        found = [live[address] for address in islice(asked, limit + 1)]
        page = found[: min(limit, _fitting(found))]
        answer: dict[str, Value] = {
            "seq": at,
            "epoch": self._journal.epoch,
            "params": [_described(param) for param in page],
            "next": None if len(page) == len(found) else page[-1].address,
        }
        encoded = values.encode(answer)
        if len(encoded) > ANSWER_MAX_BYTES and answer["next"] is not None:
            # The longest param of the longest address is one address too long: the asker has just read it.
            encoded = values.encode({**answer, "next": True})
        return encoded

    async def _notes(self, arguments: _Arguments, asker: Asker) -> bytes:
        """The journal's own entries that have no address: marks, gaps, what was removed or forgotten. Who may
        not know all addresses learns where something is missing, and nothing that names anything."""
        arguments.expect("after_seq", "upto_seq")
        after_seq, upto_seq = arguments.integer("after_seq") or 0, arguments.integer("upto_seq")
        latest = await self._journal.latest_seq()
        upto = latest if upto_seq is None else min(upto_seq, latest)
        knows_all = pattern_of(asker.within) == EVERYTHING
        own = Selection(NO_ADDRESS, kinds=OWN_KINDS if knows_all else HOLES)
        page = await self._journal.page(own, after_seq, upto, NOTES_PAGE_ENTRIES)
        page = page if knows_all else list(map(_unnamed, page))
        page = page[: _fitting(page)]
        return values.encode({"epoch": self._journal.epoch, "entries": [_noted(entry) for entry in page]})

    async def _instant(self, at_seq: int | None, at_us: int | None) -> int:
        """The number of the last entry at or before the asked instant."""
        if at_us is not None:
            return await seq_at(self._journal, at_us)
        latest = await self._journal.latest_seq()
        return latest if at_seq is None else min(at_seq, latest)

    async def _snapshot(self, arguments: _Arguments, asker: Asker) -> bytes:
        arguments.expect()
        return values.encode({"seq": await self._desk.take_snapshot()})

    async def _snapshots(self, arguments: _Arguments, asker: Asker) -> bytes:
        arguments.expect("after_seq")
        after = arguments.integer("after_seq")
        kept = [one for one in await self._journal.snapshots() if after is None or one.at_seq > after]
        page = kept[:SNAPSHOTS_PAGE]
        return values.encode(
            {
                "epoch": self._journal.epoch,
                "snapshots": [{"seq": one.at_seq, "taken": one.taken, "params": one.params} for one in page],
                "next": None if len(page) == len(kept) else page[-1].at_seq,
            }
        )

    async def _mark(self, arguments: _Arguments, asker: Asker) -> bytes:
        arguments.expect("mark", "message", "at_us")
        mark, at_us = arguments.text("mark"), arguments.integer("at_us")
        if not mark:
            raise BadInput("a mark needs a name: `mark`")
        entry = mark_entry(mark, arguments.text("message"), at_us=at_us, author=asker.author)
        return values.encode({"seq": await self._desk.append_own(entry), "timestamp": entry.timestamp})

    async def _compact(self, arguments: _Arguments, asker: Asker) -> bytes:
        arguments.expect("before_seq", "before_us", "force")
        before_seq, before_us = arguments.integer("before_seq"), arguments.integer("before_us")
        if (before_seq is None) == (before_us is None):
            raise BadInput("compact needs either `before_seq` or `before_us`")
        if before_us is not None:
            before_seq = await first_from(self._journal, before_us)
        assert before_seq is not None
        removed = await self._desk.compact(before_seq, force=arguments.flag("force"))
        return values.encode({"removed": removed, "oldest_seq": await self._journal.oldest_seq()})

    async def _forget(self, arguments: _Arguments, asker: Asker) -> bytes:
        arguments.expect("author")
        doomed = arguments.text("author")
        if not doomed:
            raise BadInput("forget needs an `author`: a session id, a subject or a client's name")
        removed = await self._desk.forget(doomed, by=asker.author)
        # A state in the past that was told before may be one that can no longer be.
        self._state_at = -1
        return values.encode({"removed": removed})


class _Arguments:
    """The map of arguments, of which every key must be known and of its type."""

    def __init__(self, encoded: bytes) -> None:
        decoded = values.decode(encoded)
        if not isinstance(decoded, dict):
            raise BadInput("the arguments are no map")
        self._values = decoded

    def expect(self, *known: str) -> None:
        for key in self._values:
            if key not in known:
                raise BadInput(f"there is no argument {key!r}")

    def integer(self, key: str) -> int | None:
        found = self._values.get(key)
        if found is None:
            return None
        if type(found) is not int or found < 0:
            raise BadInput(f"`{key}` is no number from 0 up")
        return found

    def text(self, key: str) -> str | None:
        found = self._values.get(key)
        if found is not None and not isinstance(found, str):
            raise BadInput(f"`{key}` is no text")
        return found

    def flag(self, key: str) -> bool:
        found = self._values.get(key, False)
        if not isinstance(found, bool):
            raise BadInput(f"`{key}` is neither true nor false")
        return found


def failure(error: JournalError) -> tuple[int, bytes]:
    """The answer when the journal cannot even be asked."""
    return _refusal(JournalStatus.FAILED, str(error))


def _refusal(status: JournalStatus, reason: str) -> tuple[int, bytes]:
    return int(status), values.encode({"reason": reason[:1000]})


def _fitting(described: Sequence[ParamSnapshot | JournalEntry]) -> int:
    """How many of these fit into an answer; at least one, if there is one."""
    size_bytes = 0
    for count, one in enumerate(described):
        size_bytes += _size_bytes(one) + PARAM_OVERHEAD_BYTES
        if size_bytes > STATE_PAGE_BYTES and count:
            return count
    return len(described)


def _size_bytes(one: ParamSnapshot | JournalEntry) -> int:
    if isinstance(one, ParamSnapshot):
        return len(one.address.encode()) + len(one.writer.encode()) + len(one.encoded or b"")
    return len(one.author.encode()) + len(one.details or b"")


def _noted(entry: JournalEntry) -> Value:
    return {
        "seq": entry.seq,
        "timestamp": entry.timestamp,
        "kind": int(entry.kind),
        "author": entry.author,
        "details": entry.details,
    }


def _unnamed(entry: JournalEntry) -> JournalEntry:
    """An act of forgetting without who it was about and who did it."""
    if entry.kind != EntryKind.FORGET or is_blank(entry):
        return entry
    return entry._replace(author="", details=values.encode({}))


def _described(param: ParamSnapshot) -> Value:
    return {
        "address": param.address,
        "encoded": param.encoded,
        "revision": param.revision,
        "writer": param.writer,
        "timestamp": param.timestamp,
        "ttl": param.ttl,
    }
