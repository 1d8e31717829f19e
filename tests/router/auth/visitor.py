"""Somebody with a token who tries every door, and whose experience is held against brute force."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from clasp_journal import value as values
from router.wire import legacy
from router.wire.frame import encode_frame
from router.wire.messages import (
    Ack,
    Announce,
    Bundle,
    Entries,
    Error,
    Get,
    Hello,
    JournalDo,
    JournalDone,
    Message,
    Ping,
    Pong,
    Publish,
    Query,
    Replay,
    ReplayExtension,
    Result,
    Set,
    SignalDef,
    Snapshot,
    Subscribe,
    SubscribeOptions,
)
from tests.router.auth.brute import WORLD, Case

FOLLOWED, SUBSCRIBED, REMEMBERED = 1, 2, 3
FORBIDDEN = 301
MARK = values.encode({"mark": "here"})


class Speaker(Protocol):
    """One connection, by whatever door; see `MemoryPeer`."""

    received: list[Message]

    def send(self, message: Message | bytes, qos: int = 0) -> None:
        """Send a message, or a frame as it is."""

    async def until(self, predicate: Callable[[Message], bool]) -> Message:
        """The next message of which it is true, passing over others."""

    def close(self) -> None:
        """Leave."""


class Visitor:
    """One session of one case. `legacy_form`: it asks in MessagePack where that has words for it."""

    def __init__(self, peer: Speaker, case: Case, *, legacy_form: bool) -> None:
        self.peer = peer
        self.case = case
        self._legacy_form = legacy_form
        self._told = 0

    async def enter(self, token: str) -> None:
        """HELLO: the first SNAPSHOT holds what may be read, and nothing else."""
        self._send(Hello(token=token))
        assert in_snapshots(await self._fence()) == self.case.world("read")

    async def try_reading(self) -> None:
        """GET, SUBSCRIBE, QUERY."""
        case = self.case
        may_read, may_read_all = case.opens("read", case.address), case.opens_all("read")
        self._expect(may_read, await self._ask(Get(case.address)), in_snapshots, [case.address])
        asked = Subscribe(SUBSCRIBED, case.pattern)
        self._expect(may_read_all, await self._ask(asked), in_snapshots, case.matched)
        self._expect(may_read_all, await self._ask(Query(case.pattern)), in_results, case.matched)

    async def try_the_past(self) -> None:
        """REPLAY, ENTRIES, the subscribe option `history`, and a tool that asks for the state."""
        case = self.case
        may = case.opens_all("history")
        replayed = await self._until(Replay(case.pattern), Ack, qos=1)
        self._expect(may, replayed, in_messages, case.matched)
        wish = ReplayExtension(id=FOLLOWED, as_entries=True, follow=True, journal_kinds=True)
        entries = await self._until(Replay(case.pattern, extension=wish), Entries)
        self._expect(may, entries, in_entries, case.matched)
        option = Subscribe(REMEMBERED, case.pattern, 0xFF, SubscribeOptions(history=1))
        if may and case.opens_all("read"):
            told = await self._until(option, Snapshot) if case.matched else await self._ask(option)
            assert errors(told) == []
        else:
            assert errors(await self._ask(option)) == [FORBIDDEN]
        state = await self._until(JournalDo(7, "state"), JournalDone)
        self._expect(case.opens_some("history"), state, in_state, case.world("history"))

    async def try_writing(self) -> None:
        """SET, PUBLISH, BUNDLE, ANNOUNCE, and a tool that changes the journal."""
        case = self.case
        one, may = values.encode(1), case.opens("write", case.address)
        first = WORLD[0]
        may_both = may and case.opens("write", first)
        requests: list[tuple[Message, bool]] = [
            (Set(case.address, one), may),
            (Set(case.address, one), may),
            (Publish(case.address, encoded=one), may),
            (Publish(case.address, encoded=one), may),
            (Bundle([Set(first, one), Bundle([Publish(case.address, encoded=one)])]), may_both),
            (Announce("/", [SignalDef(first), SignalDef(case.address)]), may_both),
        ]
        for request, is_open in requests:
            assert errors(await self._ask(request)) == ([] if is_open else [FORBIDDEN]), request
        if not case.opens_everything("admin"):
            assert errors(await self._until(JournalDo(8, "mark", MARK), JournalDone)) == [FORBIDDEN]

    async def hear(self, written: Iterable[str]) -> None:
        """What somebody else has written meanwhile comes where it is open, and nowhere else."""
        case = self.case
        inside = [address for address in written if address in case.matched]
        delivered = await self._fence()
        live = [message for message in delivered if isinstance(message, Set)]
        assert in_messages(live) == (sorted(set(inside)) if case.opens_all("read") else [])
        if inside and case.opens_all("history"):
            followed: list[str] = []
            seen = in_entries(delivered)
            while not set(inside) <= {*followed, *seen}:
                message = await self.peer.until(lambda heard: isinstance(heard, Entries))
                followed += in_entries([message])

    def look_back(self) -> None:
        """Nothing that ever came was outside the scopes, whichever way it came."""
        case = self.case
        for message in self.peer.received:
            present = [*in_snapshots([message]), *in_results([message])]
            assert all(case.opens("read", address) for address in present), message
            past = [*in_entries([message]), *in_state([message])]
            assert all(case.opens("history", address) for address in past), message
            for address in in_messages([message]):
                assert case.opens("read", address) or case.opens("history", address), message

    def _expect(
        self,
        is_open: bool,
        told: list[Message],
        addresses_in: Callable[[list[Message]], list[str]],
        expected: list[str],
    ) -> None:
        assert errors(told) == ([] if is_open else [FORBIDDEN]), (self.case, told)
        assert addresses_in(told) == (sorted(expected) if is_open else []), self.case

    def _send(self, message: Message, qos: int = 0) -> None:
        try:
            frame = encode_frame(legacy.encode(message), qos) if self._legacy_form else message
        except ValueError:
            frame = message
        self.peer.send(frame, qos)

    async def _ask(self, message: Message) -> list[Message]:
        """What is said to a request that is answered at once."""
        self._send(message)
        return await self._fence()

    async def _fence(self) -> list[Message]:
        self.peer.send(Ping())
        await self.peer.until(lambda heard: isinstance(heard, Pong))
        return self._news()

    async def _until(self, request: Message, answer: type[Message], qos: int = 0) -> list[Message]:
        """What is said to a request until its answer or its refusal has come."""
        self._send(request, qos)
        await self.peer.until(lambda heard: isinstance(heard, (answer, Error)))
        return self._news()

    def _news(self) -> list[Message]:
        news = self.peer.received[self._told :]
        self._told = len(self.peer.received)
        return news


def errors(told: Iterable[Message]) -> list[int]:
    """The codes in it."""
    return [message.code for message in told if isinstance(message, Error)]


def in_snapshots(told: Iterable[Message]) -> list[str]:
    """The addresses in its SNAPSHOTs."""
    return sorted(p.address for message in told if isinstance(message, Snapshot) for p in message.params)


def in_results(told: Iterable[Message]) -> list[str]:
    """The addresses in its RESULTs."""
    return sorted(s.address for message in told if isinstance(message, Result) for s in message.signals)


def in_messages(told: Iterable[Message]) -> list[str]:
    """The addresses of its SETs and PUBLISHes, each once."""
    return sorted({message.address for message in told if isinstance(message, (Set, Publish))})


def in_entries(told: Iterable[Message]) -> list[str]:
    """The addresses in its ENTRIES, each once."""
    return sorted({e.address for message in told if isinstance(message, Entries) for e in message.entries})


def in_state(told: Iterable[Message]) -> list[str]:
    """The addresses in what a tool was told of the state."""
    found: list[str] = []
    for message in told:
        if isinstance(message, JournalDone):
            params = message.result.get("params")
            assert isinstance(params, list)
            found += (str(param["address"]) for param in params if isinstance(param, dict))
    return sorted(found)
