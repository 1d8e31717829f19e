"""The journal of a live router as a `Journal`: whatever can be asked of a file can be asked of it.

Laws: it only reads; what it serves is what `Selection.matches` says, as for any journal; nothing is asked for
before it is used. Params are those that are live: tombstones and the revision floor stay with the router.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable
from typing import Self

from clasp_journal.address import Pattern
from clasp_journal.entry import EntryKind, JournalEntry, ParamSnapshot
from clasp_journal.errors import JournalUnavailable
from clasp_journal.journal import Journal
from clasp_journal.restore import KeptSnapshot, Snapshot
from clasp_journal.selection import MESSAGES, NO_ADDRESS, Selection
from clasp_journal.value import Value
from router.client.client import Client
from router.client.errors import ClientError
from router.client.history import History, Position, State
from router.client.wishes import PastOptions

_log = logging.getLogger(__name__)

WINDOW_ENTRIES = 1_000
"""How far a search backwards looks first; each further look reaches four times as far."""


class RemoteJournal(Journal):
    """Made by `open`, from a client that stays connected as long as this is used."""

    def __init__(self, client: Client, epoch: str) -> None:
        self._client = client
        self._epoch = epoch

    @classmethod
    async def open(cls, client: Client) -> Self:
        """Ask the router for the epoch of its journal."""
        return cls(client, _text(await client.journal_do("stats"), "epoch"))

    @property
    def epoch(self) -> str:
        return self._epoch

    async def stats(self) -> dict[str, Value]:
        """What the router says about its journal."""
        return await self._client.journal_do("stats")

    async def latest_seq(self) -> int:
        return _integer(await self.stats(), "latest_seq")

    async def oldest_seq(self) -> int:
        return _integer(await self.stats(), "oldest_seq")

    async def len(self) -> int:
        return _integer(await self.stats(), "entries")

    async def load_snapshot(self, at_seq: int | None = None) -> Snapshot | None:
        """The live params right after entry `at_seq`, which the router folds; never an older snapshot."""
        arguments: dict[str, Value] = {"at_seq": await self.latest_seq() if at_seq is None else at_seq}
        params: list[ParamSnapshot] = []
        while True:
            page = await self._client.journal_do("state", arguments)
            described = page.get("params")
            params += map(_param, described if isinstance(described, list) else [])
            following = page.get("next")
            if following is None:
                return Snapshot(_integer(page, "seq"), params)
            # True: go on behind the last param; its address was too long to be said once more.
            arguments["after"] = params[-1].address if following is True else following

    async def snapshots(self) -> list[KeptSnapshot]:
        """Those that the router's journal keeps; `load_snapshot` of their numbers tells what is in them."""
        found: list[KeptSnapshot] = []
        after: Value = None
        while True:
            page = await self._client.journal_do("snapshots", {"after_seq": after})
            told = page.get("snapshots")
            found += map(_kept, told if isinstance(told, list) else [])
            after = page.get("next")
            if after is None:
                return found

    async def page(
        self, selection: Selection, after_seq: int, upto_seq: int, limit: int
    ) -> list[JournalEntry]:
        found: list[JournalEntry] = []
        if selection.pattern is NO_ADDRESS:
            return await self._notes(selection, after_seq, upto_seq, limit)
        if _is_hopeless(selection) or after_seq >= upto_seq or limit <= 0:
            return found
        options = _options(selection)
        options["since"] = Position(max(0, after_seq), self._epoch)
        if _is_served_exactly(selection):
            options["limit"] = limit
        history = self._client.replay(selection.pattern.text, **options)
        try:
            async for entry in history:
                if entry.seq > upto_seq:
                    break
                if selection.matches(entry):
                    found.append(entry)
                if len(found) >= limit:
                    break
        finally:
            await history.close()
        self._check_life(history)
        return found

    async def nth_newest(self, selection: Selection, n: int, *, after_seq: int, upto_seq: int) -> int:
        if n <= 0 or _is_hopeless(selection):
            return after_seq + 1
        if selection == Selection():
            return max(after_seq + 1, await self.oldest_seq(), upto_seq - n + 1)
        if selection.pattern is NO_ADDRESS:
            found = await self._notes(selection, after_seq, upto_seq, upto_seq)
            return found[-n].seq if len(found) >= n else after_seq + 1
        newest = await self._newest(selection, n, after_seq, upto_seq)
        if newest is not None:
            return newest[0].seq if len(newest) == n else after_seq + 1
        window = max(WINDOW_ENTRIES, 4 * n)
        while True:
            begin = max(after_seq, upto_seq - window)
            found = await self.page(selection, begin, upto_seq, window)
            if len(found) >= n:
                return found[-n].seq
            if begin <= after_seq:
                return after_seq + 1
            window *= 4

    async def _notes(
        self, selection: Selection, after_seq: int, upto_seq: int, limit: int
    ) -> list[JournalEntry]:
        """What has no address, for which the wire has no pattern."""
        found: list[JournalEntry] = []
        while len(found) < limit:
            told = await self._client.journal_do("notes", {"after_seq": after_seq, "upto_seq": upto_seq})
            described = told.get("entries")
            page = [_note(note) for note in described] if isinstance(described, list) else []
            if not page:
                break
            after_seq = page[-1].seq
            found += (entry for entry in page if selection.matches(entry))
        return found[:limit]

    async def newest(
        self, selection: Selection, limit: int, *, after_seq: int, upto_seq: int
    ) -> list[JournalEntry]:
        if limit > 0 and not _is_hopeless(selection) and selection.pattern is not NO_ADDRESS:
            newest = await self._newest(selection, limit, after_seq, upto_seq)
            if newest is not None:
                return newest
        return await super().newest(selection, limit, after_seq=after_seq, upto_seq=upto_seq)

    async def _newest(
        self, selection: Selection, n: int, after_seq: int, upto_seq: int
    ) -> list[JournalEntry] | None:
        """The same, where the newest of all are enough to tell: the usual case, in one request."""
        if not _is_served_exactly(selection):
            return None
        options = _options(selection)
        options["limit"], options["newest"] = n, True
        history = self._client.replay(selection.pattern.text, **options)
        found = [entry async for entry in history]
        self._check_life(history)
        if found and found[-1].seq > upto_seq:
            return None
        return [entry for entry in found if entry.seq > after_seq]

    async def tail(
        self, since: int = 0, pattern: str | Pattern = "/**", *, author: str | None = None
    ) -> AsyncIterator[JournalEntry]:
        """See `Journal.tail`; it goes on when the router comes back."""
        text = pattern if isinstance(pattern, str) else pattern.text
        wanted: PastOptions = {
            "since": Position(since, self._epoch),
            "follow": True,
            "journal_kinds": True,
            "on_incomplete": _tell_incomplete,
        }
        if author is not None:
            wanted["author"] = author
        history = self._client.replay(text, **wanted)
        try:
            async for entry in history:
                yield entry
        finally:
            await history.close()

    async def wait_beyond(self, seq: int) -> int:
        async for entry in self.tail(seq):
            return entry.seq
        raise JournalUnavailable("the router is gone", operation="wait")

    async def close(self) -> None:
        """Nothing to release: the client belongs to whoever made it."""

    async def append(self, entries: JournalEntry | Iterable[JournalEntry], *, synced: bool = False) -> int:
        raise _read_only("append")

    async def snapshot(
        self,
        params: Iterable[ParamSnapshot],
        at_seq: int | None = None,
        *,
        revision_floor: int = 0,
        lasting: bool = False,
    ) -> int:
        raise _read_only("snapshot")

    async def compact(self, before_seq: int, *, force: bool = False) -> int:
        raise _read_only("compact")

    async def forget(self, author: str, *, by: str = "") -> int:
        raise _read_only("forget")

    def _check_life(self, history: History) -> None:
        position = history.position
        if position is not None and position.epoch != self._epoch:
            raise JournalUnavailable("the router's journal began a new life meanwhile", operation="query")


def _tell_incomplete(state: State) -> None:
    _log.warning("entries are missing here: the router had to leave some out")


def _is_hopeless(selection: Selection) -> bool:
    """Whether nothing can match; the wire cannot say so, since no type there means any."""
    return (selection.types is not None and not selection.types) or (
        selection.kinds is not None and not selection.kinds
    )


def _is_served_exactly(selection: Selection) -> bool:
    """Whether the router itself can leave out all that does not match."""
    return selection.kinds is None or selection.kinds == MESSAGES


def _options(selection: Selection) -> PastOptions:
    wanted: PastOptions = {"journal_kinds": selection.kinds is None or not selection.kinds <= MESSAGES}
    if selection.from_us is not None:
        wanted["from_us"] = max(0, selection.from_us)
    if selection.to_us is not None:
        wanted["to_us"] = max(0, selection.to_us)
    if selection.types is not None:
        wanted["types"] = selection.types
    if selection.author is not None:
        wanted["author"] = selection.author
    return wanted


def _kept(described: Value) -> KeptSnapshot:
    told = described if isinstance(described, dict) else {}
    return KeptSnapshot(_integer(told, "seq"), _integer(told, "taken"), _integer(told, "params"))


def _param(described: Value) -> ParamSnapshot:
    if not isinstance(described, dict):
        raise ClientError("the router described a param by something else than a map")
    encoded, ttl = described.get("encoded"), described.get("ttl")
    return ParamSnapshot(
        _text(described, "address"),
        encoded if isinstance(encoded, bytes) else b"\x00",
        _integer(described, "revision"),
        _text(described, "writer"),
        _integer(described, "timestamp"),
        ttl if isinstance(ttl, int) else None,
    )


def _note(described: Value) -> JournalEntry:
    if not isinstance(described, dict):
        raise ClientError("the router described an entry by something else than a map")
    details = described.get("details")
    return JournalEntry(
        _integer(described, "timestamp"),
        _text(described, "author"),
        "",
        EntryKind(_integer(described, "kind")),
        seq=_integer(described, "seq"),
        details=details if isinstance(details, bytes) else None,
    )


def _integer(told: dict[str, Value], key: str) -> int:
    found = told.get(key)
    if not isinstance(found, int):
        raise ClientError(f"the router did not say {key}")
    return found


def _text(told: dict[str, Value], key: str) -> str:
    found = told.get(key)
    if not isinstance(found, str):
        raise ClientError(f"the router did not say {key}")
    return found


def _read_only(operation: str) -> JournalUnavailable:
    return JournalUnavailable("the journal of a router is only read from here", operation=operation)
