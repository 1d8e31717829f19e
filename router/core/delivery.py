"""From a topic to those who listen to it."""

from __future__ import annotations

from clasp_journal.entry import SignalType
from router.core.ground import Ground
from router.core.pacing import Pacing, Update
from router.core.ports import Fate
from router.core.session import Session
from router.core.topics import Topic


class Delivery:
    """Hands messages to the readers of a topic, all of them or thinned out."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.pacing = Pacing(ground)

    def param(self, topic: Topic, packed: bytes, sender: Session, now: int) -> None:
        """A SET, to everyone, its sender included."""
        readers = topic.readers(self._ground.subscriptions, SignalType.PARAM)
        if readers.members:
            echoing = sender if sender in readers.sessions else None
            self._ground.ports.deliver(readers, (packed,), (topic,), Fate.CONFLATE, echoing)
        if readers.paced:
            update = Update(packed, Fate.CONFLATE, SignalType.PARAM, topic.encoded)
            for session, pace in readers.paced.items():
                self.pacing.offer(session, pace, topic, update, now)

    def signal(self, topic: Topic, update: Update, sender: Session, now: int) -> None:
        """A PUBLISH, to everyone but its sender."""
        readers = topic.readers(self._ground.subscriptions, update.signal)
        if readers.members:
            excluding = sender if sender in readers.sessions else None
            self._ground.ports.deliver(readers, (update.packed,), (topic,), update.fate, excluding)
        for session, pace in readers.paced.items():
            if session is not sender:
                self.pacing.offer(session, pace, topic, update, now)
