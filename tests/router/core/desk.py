"""A core with lists for ports, a hand that turns the clock, and clients that speak in message objects."""

from __future__ import annotations

from typing import Any

from clasp_journal import value as values
from clasp_journal.value import Value
from router.core.ground import Settings
from router.core.limits import SECOND_US, Limits
from router.core.router import Core
from router.wire import codec, legacy
from router.wire.frame import Frame, encode_frame
from router.wire.messages import (
    Ack,
    Error,
    Hello,
    Message,
    Publish,
    Set,
    SignalType,
    Snapshot,
    Subscribe,
    SubscribeOptions,
)
from tests.router.core.ports import ListedPorts, messages_in, opened

START_US = 1_700_000_000 * SECOND_US


def framed(message: Message, qos: int = 0, *, legacy_form: bool = False) -> bytes:
    """The frame in which a client sends a message."""
    return encode_frame(legacy.encode(message) if legacy_form else codec.encode(message), qos)


class Client:
    """One session, from the outside."""

    def __init__(self, desk: Desk, session_id: str, *, is_trusted: bool) -> None:
        self.desk = desk
        self.session = desk.core.connect(session_id, None, is_trusted=is_trusted)

    def send(self, frame: bytes) -> list[Message]:
        """Send a whole frame; what this client has heard since it was last asked."""
        self.desk.core.receive(self.session, iter((frame,)), self.desk.now)
        return self.heard()

    def say(self, message: Message, qos: int = 0, *, legacy_form: bool = False) -> list[Message]:
        """Send a message; what this client has heard since it was last asked."""
        return self.send(framed(message, qos, legacy_form=legacy_form))

    def set(self, address: str, value: Value, qos: int = 0, **rest: Any) -> list[Message]:
        """SET a Python value."""
        return self.say(Set(address, values.encode(value), **rest), qos)

    def publish(self, address: str, value: Value = None, qos: int = 0, **rest: Any) -> list[Message]:
        """PUBLISH a Python value."""
        return self.say(Publish(address, encoded=values.encode(value), **rest), qos)

    def stream(self, address: str, value: Value) -> list[Message]:
        """PUBLISH one sample."""
        return self.publish(address, value, signal=SignalType.STREAM)

    def subscribe(
        self, pattern: str, subscription_id: int = 1, type_mask: int = 0xFF, **options: Any
    ) -> list[Message]:
        """SUBSCRIBE, perhaps with options."""
        chosen = SubscribeOptions(**options) if options else None
        return self.say(Subscribe(subscription_id, pattern, type_mask, chosen))

    def heard(self) -> list[Message]:
        """All that came for this client since it was last asked."""
        return [message for packed in self._take() for message in messages_in(packed)]

    def frames(self) -> list[Frame]:
        """The same as frames."""
        return [frame for packed in self._take() for frame in opened(packed)]

    def values(self) -> list[Value]:
        """The values of the SETs and PUBLISHes among it."""
        return [message.value for message in self.heard() if isinstance(message, (Set, Publish))]

    def leave(self) -> None:
        """The connection is gone."""
        self.desk.core.leave(self.session)

    def _take(self) -> list[bytes]:
        return self.desk.ports.inbox.pop(self.session.number, [])


class Desk:
    """A router without doors. Keyword arguments are limits."""

    def __init__(self, settings: Settings | None = None, **limits: int) -> None:
        self.ports = ListedPorts()
        self.core = Core(self.ports, Limits(**limits), settings)
        self.now = START_US
        self.arrivals = 0

    def knock(self, session_id: str = "", *, is_trusted: bool = False) -> Client:
        """Somebody at the door, who has said nothing yet."""
        self.arrivals += 1
        return Client(self, session_id or f"session-{self.arrivals}", is_trusted=is_trusted)

    def connect(self, session_id: str = "", *, is_trusted: bool = False, **hello: Any) -> Client:
        """A client that has said HELLO and heard the answer."""
        client = self.knock(session_id, is_trusted=is_trusted)
        client.say(Hello(**hello))
        return client

    def later(self, seconds: float) -> None:
        """Let time pass, and all happen that is due until then, each thing at its time."""
        end = self.now + round(seconds * SECOND_US)
        due = self.core.ground.agenda.next_due
        while due is not None and due <= end:
            self.now = max(self.now, due)
            due = self.core.advance(self.now)
        self.now = end

    def recorded(self) -> list[Message]:
        """The messages that the journal was given since it was last asked."""
        taken, self.ports.recorded = self.ports.recorded, []
        return [message for _, packed, _ in taken for message in messages_in(packed)]

    def snapshot(self, address: str) -> Any:
        """The param as a newcomer hears of it; None if there is none."""
        heard = self.connect().say(Subscribe(1, address))
        found = [param for message in heard if isinstance(message, Snapshot) for param in message.params]
        return found[0] if found else None


def codes(heard: list[Message]) -> list[int]:
    """The codes of the ERRORs in it."""
    return [message.code for message in heard if isinstance(message, Error)]


def acks(heard: list[Message]) -> list[Ack]:
    """The ACKs in it."""
    return [message for message in heard if isinstance(message, Ack)]
