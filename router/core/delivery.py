"""From a topic to those who listen to it."""

from __future__ import annotations

from clasp_journal.entry import SignalType
from router.core.ground import Ground
from router.core.pacing import Pacing
from router.core.ports import Fate
from router.core.session import Session
from router.core.topics import Topic


class Delivery:
    """Hands messages to the readers of a topic, all of them or thinned out."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.pacing = Pacing(ground)

    def param(self, topic: Topic, packed: bytes, now: int) -> None:
        """A SET, to everyone, its sender included."""
        readers = topic.readers(self._ground.subscriptions, SignalType.PARAM)
        if readers.members:
            self._ground.ports.deliver(readers, packed, topic, Fate.CONFLATE, None)
        if readers.paced:
            update = (packed, Fate.CONFLATE, topic.encoded)
            for session, _ in readers.paced:
                self.pacing.offer(session, topic, update, now)

    def signal(
        self, topic: Topic, signal: int, update: tuple[bytes, Fate, bytes | None], sender: Session, now: int
    ) -> None:
        """A PUBLISH (packed, its fate, its encoded value), to everyone but its sender."""
        packed, fate, _ = update
        readers = topic.readers(self._ground.subscriptions, signal)
        if readers.members:
            excluding = sender if sender in readers.sessions else None
            self._ground.ports.deliver(readers, packed, topic, fate, excluding)
        for session, _ in readers.paced:
            if session is not sender:
                self.pacing.offer(session, topic, update, now)
