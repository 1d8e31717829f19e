"""PUBLISH: events, streams, gestures and timelines, which pass by and leave nothing but an entry.

Laws: a signal reaches every reader but its sender; its payload travels as it came. What goes to one session
by name (`/clasp/p2p/signal/<session>`) is between those two: no pattern sees it, no journal keeps it.
"""

from __future__ import annotations

from clasp_journal.address import parse_address
from clasp_journal.entry import SignalType
from router.core.access import Right
from router.core.answers import packed
from router.core.delivery import Delivery
from router.core.gestures import Gestures
from router.core.ground import Ground
from router.core.pacing import Update
from router.core.ports import Fate
from router.core.refusal import Refusal
from router.core.session import Session
from router.core.subscriptions import Readers
from router.core.topics import P2P_SIGNAL, Topic
from router.wire import codec
from router.wire.codes import ErrorCode
from router.wire.frame import encode_frame
from router.wire.messages import Ack, Publish
from router.wire.packing import pack


class Signals:
    """The rules of PUBLISH."""

    def __init__(self, ground: Ground, delivery: Delivery) -> None:
        self._ground = ground
        self._delivery = delivery
        self._gestures = Gestures(ground, delivery)

    def check(self, request: Publish, session: Session, payload: bytes | None = None) -> bytes:
        """The binary payload of this PUBLISH, made if it did not come as one; `BadInput` if it is refused."""
        address = parse_address(request.address)
        session.access.demand_write(address)
        limit = self._ground.limits.publish_bytes
        if payload is None and len(request.encoded or request.samples or b"") <= limit:
            payload = codec.encode(request)
        if payload is None or len(payload) > limit:
            raise Refusal(ErrorCode.INVALID_VALUE, f"payload exceeds {limit} bytes", address)
        if address.startswith(P2P_SIGNAL) and self._peer(address) is None:
            raise Refusal(ErrorCode.NO_SUCH_TARGET, "there is no such session", address)
        return payload

    def apply(self, request: Publish, payload: bytes, qos: int, session: Session, now: int) -> None:
        """Pass on a PUBLISH that was checked."""
        ground = self._ground
        frame = pack(encode_frame(payload, qos))
        topic = ground.topics.obtain_passing(request.address.encode())
        if request.address.startswith(P2P_SIGNAL):
            self._tell_peer(frame, topic)
            return
        ground.ports.record(session, (frame,), now)
        if topic.is_peer_to_peer:
            self._announce(topic, frame, session)
        elif request.signal is SignalType.GESTURE:
            self._gestures.publish(request, frame, topic, session, now)
        else:
            update = Update(frame, fate_of(request.signal), request.signal, request.encoded)
            self._delivery.signal(topic, update, session, now)

    def _peer(self, address: str) -> Session | None:
        """The session that an address names, if it is there and may read what is sent to it."""
        peer = self._ground.sessions.get(address[len(P2P_SIGNAL) :])
        return peer if peer is not None and peer.access.may(Right.READ, address) else None

    def _tell_peer(self, frame: bytes, topic: Topic) -> None:
        """An event like any other: a peer that does not take it cannot make the router keep it for ever."""
        peer = self._peer(topic.text)
        if peer is not None:
            self._ground.ports.deliver(Readers((peer,), {}), (frame,), (topic,), Fate.KEEP, None)

    def _announce(self, topic: Topic, frame: bytes, session: Session) -> None:
        readers = self._ground.subscriptions.readers(topic.text, None)
        if readers:
            self._ground.ports.deliver(readers, (frame,), (topic,), Fate.KEEP, session)


def fate_of(signal: int) -> Fate:
    """What may become of a signal for a slow reader; gestures decide by their phase."""
    return Fate.DROP if signal == SignalType.STREAM else Fate.KEEP


def packed_ack(address: str) -> bytes:
    """The ACK of a PUBLISH."""
    return packed(Ack(address=address))
