"""What the core asks of the world: three ports with a few forms each, and nothing else.

*reply* to one session, *deliver* to a group of readers, *record* in the journal. All of them return at
once; order of calls, and in a call the order of the messages, is order of effect. A sequence that was handed
over is not changed afterwards. A test gives lists as ports.

Everything that leaves is *packed*: a frame with the header of an unmasked WebSocket message before it,
encoded once for however many readers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Protocol

from clasp_journal.entry import JournalEntry
from router.core.session import Session
from router.core.subscriptions import Readers
from router.core.topics import Topic
from router.wire.messages import JournalDo, Replay, Subscribe


class Fate(IntEnum):
    """What may become of a message for a reader that is too slow."""

    KEEP = 0
    """An event: never dropped; who cannot take it is closed."""
    CONFLATE = 1
    """A param: the newest value always arrives, those before it may not."""
    DROP = 2
    """A sample of a stream or gesture: the oldest go first."""
    ECHO = 3
    """A param for the session that has set it: an answer, never dropped."""


class Ports(Protocol):
    """What a core is given to speak through."""

    def reply(self, session: Session, packed: bytes) -> None:
        """An answer to one session; never dropped. It leaves after all that was delivered before."""

    def stream(self, session: Session, frames: Iterator[bytes]) -> None:
        """Answers that are made one by one, as fast as the session takes them."""

    def acknowledge(self, session: Session, acks: Sequence[bytes], qos: int) -> None:
        """ACKs that wait until all that was recorded so far is in the journal: committed for QoS 1,
        synced for QoS 2. ACKs of a session leave in the order of these calls."""

    def deliver(
        self,
        readers: Readers,
        messages: Sequence[bytes],
        topics: Sequence[Topic],
        fate: Fate,
        sender: Session | None,
    ) -> None:
        """Messages, each with its topic, for a group of readers. A sender that is one of them is named: it is
        left out, but gets the params that it has set, as answers."""

    def record(self, session: Session, messages: Sequence[bytes], now: int) -> None:
        """SETs with their new revisions and effective TTLs, and PUBLISHes, as the journal is to keep them."""

    def record_entry(self, entry: JournalEntry) -> None:
        """An entry of the journal's own kind."""

    def replay(self, session: Session, request: Replay, qos: int) -> None:
        """History for one session; its patterns and rights are checked already."""

    def backfill(self, session: Session, request: Subscribe, snapshot: Iterator[bytes], now: int) -> None:
        """The history until now that a new subscription asked for, then its snapshot, then what was delivered
        since."""

    def cancel_replay(self, session: Session, request_id: int) -> None:
        """End the replay with this id, if there is one."""

    def journal_do(self, session: Session, request: JournalDo) -> None:
        """A tool's request to the journal; its rights are checked already."""

    def close(self, session: Session, code: int, reason: str) -> None:
        """Send what waits, then close the connection with a WebSocket close code."""
