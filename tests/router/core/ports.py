"""Ports that are lists: what the core says is written down, and nothing else happens."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from clasp_journal.entry import JournalEntry
from router.core.ports import Fate
from router.core.session import Session
from router.core.subscriptions import Readers
from router.core.topics import Topic
from router.wire import codec
from router.wire.frame import Frame, decode_frame
from router.wire.messages import JournalDo, Message, Replay, Subscribe
from router.wire.packing import unpack


def opened(packed: bytes) -> list[Frame]:
    """The frames in packed bytes."""
    return [decode_frame(frame) for frame in unpack(packed)]


def messages_in(packed: bytes) -> list[Message]:
    """The messages in packed bytes."""
    return [codec.decode(frame.payload) for frame in opened(packed)]


class ListedPorts:
    """Every call in order (`calls`), and what each session was sent, in order (`inbox`, by its number)."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.inbox: dict[int, list[bytes]] = defaultdict(list)
        self.fates: list[Fate] = []
        self.groups: list[Readers] = []
        self.recorded: list[tuple[Session, bytes, int]] = []
        self.entries: list[JournalEntry] = []
        self.replays: list[tuple[Session, Replay, int]] = []
        self.cancelled: list[tuple[Session, int]] = []
        self.backfills: list[tuple[Session, Subscribe]] = []
        self.errands: list[tuple[Session, JournalDo]] = []
        self.closes: list[tuple[Session, int, str]] = []
        self.is_streaming = True
        """Whether streams are taken at once; otherwise they wait in `streams`."""
        self.streams: list[tuple[Session, Iterator[bytes]]] = []

    def reply(self, session: Session, packed: bytes) -> None:
        self.calls.append(("reply", session.number, packed))
        self.inbox[session.number].append(packed)

    def stream(self, session: Session, frames: Iterator[bytes]) -> None:
        if not self.is_streaming:
            self.streams.append((session, frames))
            return
        for packed in frames:
            if packed:
                self.reply(session, packed)

    def acknowledge(self, session: Session, acks: Sequence[bytes], qos: int) -> None:
        for packed in acks:
            self.calls.append(("acknowledge", session.number, packed, qos))
            self.inbox[session.number].append(packed)

    def deliver(
        self,
        readers: Readers,
        messages: Sequence[bytes],
        topics: Sequence[Topic],
        fate: Fate,
        sender: Session | None,
    ) -> None:
        for packed, topic in zip(messages, topics, strict=True):
            self.groups.append(readers)
            self.fates.append(fate)
            for session in readers.members:
                if session is not sender or fate is Fate.CONFLATE:
                    self.calls.append(("deliver", session.number, packed, topic.text, fate))
                    self.inbox[session.number].append(packed)

    def record(self, session: Session, messages: Sequence[bytes], now: int) -> None:
        for packed in messages:
            self.calls.append(("record", session.number, packed, now))
            self.recorded.append((session, packed, now))

    def record_entry(self, entry: JournalEntry) -> None:
        self.calls.append(("record_entry", entry))
        self.entries.append(entry)

    def replay(self, session: Session, request: Replay, qos: int) -> None:
        self.replays.append((session, request, qos))

    def backfill(self, session: Session, request: Subscribe, snapshot: Iterator[bytes], now: int) -> None:
        self.backfills.append((session, request))
        self.stream(session, snapshot)

    def cancel_replay(self, session: Session, request_id: int) -> None:
        self.cancelled.append((session, request_id))

    def journal_do(self, session: Session, request: JournalDo) -> None:
        self.errands.append((session, request))

    def close(self, session: Session, code: int, reason: str) -> None:
        self.calls.append(("close", session.number, code))
        self.closes.append((session, code, reason))
