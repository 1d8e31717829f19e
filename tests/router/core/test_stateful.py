"""Whatever a few clients do in whatever order, the core says what a dict and some lists would say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle as Drawn
from hypothesis.stateful import (
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from clasp_journal import value as values
from clasp_journal.entry import SignalType, absolute_ttl, sliding_ttl
from router.core.topics import SMALL_BYTES
from router.wire.messages import (
    Bundle,
    Error,
    Get,
    Hello,
    Message,
    Publish,
    Set,
    Snapshot,
    Subscribe,
    Unsubscribe,
)
from tests.router.core.desk import Client, Desk, framed
from tests.router.core.model import Model

ADDRESSES = st.sampled_from(["/a", "/a/b", "/a/b/c", "/b", "/zone1/x", "/zone2/x"])
PATTERNS = st.sampled_from(["/**", "/a", "/a/*", "/a/**", "/**/x", "/zone*/x", "/*", "/none"])
ODD = [b"\x00", b"\x06\x7f\xc0\x00\x01", *(values.encode("x" * size) for size in (61, 62, 300))]
VALUES = st.integers(-2, 2).map(values.encode) | st.sampled_from(ODD)
TTLS = st.sampled_from([None, None, None, 0, sliding_ttl(3), absolute_ttl(3), absolute_ttl(8)])
SETS = st.one_of(
    st.builds(Set, ADDRESSES, VALUES),
    st.builds(
        Set,
        ADDRESSES,
        VALUES,
        st.sampled_from([None, None, 0, 1, 2]),
        lock=st.sampled_from([False, False, True]),
        unlock=st.sampled_from([False, False, True]),
        ttl=TTLS,
    ),
)
SIGNALS = st.sampled_from([one for one in SignalType if one is not SignalType.GESTURE])
PUBLISHES = st.builds(Publish, ADDRESSES, SIGNALS, VALUES)
BUNDLES = st.builds(Bundle, st.lists(SETS | PUBLISHES, max_size=4))
QOS = st.sampled_from([0, 1, 2])
MASKS = st.sampled_from([0xFF, 0xFF, 0x00, 0x01, 0x02, 0x05])


def plainly(message: Message) -> Any:
    """An ERROR by its code and address alone; whatever else as it is."""
    return (message.code, message.address) if isinstance(message, Error) else message


class CoreMachine(RuleBasedStateMachine):
    """Random steps on a core and on the model."""

    clients = Drawn("clients")

    @initialize()
    def open(self) -> None:
        self.desk = Desk()
        self.model = Model()
        self.here: list[Client] = []

    @rule(target=clients)
    def connect(self) -> Client:
        client = self.desk.connect()
        client.heard()
        self.here.append(client)
        self.model.wishes[client.session.id] = {}
        return client

    @rule(client=clients, message=SETS | PUBLISHES | BUNDLES, qos=QOS)
    def write(self, client: Client, message: Set | Publish | Bundle, qos: int) -> None:
        self.say(client, message, qos)
        self.model.perform(client.session.id, message, qos, self.desk.now)

    @rule(client=clients, address=ADDRESSES)
    def get(self, client: Client, address: str) -> None:
        self.say(client, Get(address))
        self.model.get(client.session.id, address, self.desk.now)

    @rule(client=clients, number=st.integers(0, 2), pattern=PATTERNS, mask=MASKS)
    def subscribe(self, client: Client, number: int, pattern: str, mask: int) -> None:
        self.say(client, Subscribe(number, pattern, mask))
        self.model.subscribe(client.session.id, number, pattern, mask)

    @rule(client=clients, number=st.integers(0, 2))
    def unsubscribe(self, client: Client, number: int) -> None:
        self.say(client, Unsubscribe(number))
        self.model.wishes[client.session.id].pop(number, None)

    @rule(seconds=st.sampled_from([0.5, 1, 3, 9]))
    def wait(self, seconds: float) -> None:
        self.desk.later(seconds)
        self.model.expire(self.desk.now)

    @rule(client=consumes(clients))
    def vanish(self, client: Client) -> None:
        client.leave()
        self.here.remove(client)
        self.model.leave(client.session.id)

    @invariant()
    def everybody_has_heard_what_they_should(self) -> None:
        for client in self.here:
            heard = [plainly(message) for message in client.heard()]
            assert heard == self.model.heard.pop(client.session.id, [])

    @invariant()
    def the_journal_was_given_it_all(self) -> None:
        given = [_without_ttl(message) for message in self.desk.recorded()]
        assert given == [_without_ttl(message) for message in self.model.recorded]
        self.model.recorded.clear()
        expired = [(entry.address, entry.revision) for entry in self.desk.ports.entries]
        assert sorted(expired) == sorted(self.model.expired)
        self.desk.ports.entries.clear()
        self.model.expired.clear()

    @invariant()
    def a_newcomer_hears_the_state(self) -> None:
        newcomer = self.desk.knock()
        _, snapshot = newcomer.say(Hello())
        newcomer.leave()
        assert isinstance(snapshot, Snapshot)
        told = {param.address: (param.encoded, param.revision, param.writer) for param in snapshot.params}
        expected = {
            address: (param.encoded, param.revision, param.writer)
            for address, param in self.model.params.items()
            if param.encoded is not None
        }
        assert told == expected

    @invariant()
    def every_value_has_its_room(self) -> None:
        topics = self.desk.core.ground.topics
        assert all(len(topic.data) <= topic.room_bytes for topic in topics.known.values())
        assert topics.long_bytes == sum(topic.room_bytes - SMALL_BYTES for topic in topics.known.values())

    def say(self, client: Client, message: Message, qos: int = 0) -> None:
        """Send without taking what is answered; the invariants look at it."""
        self.desk.core.receive(client.session, iter((framed(message, qos),)), self.desk.now)


def _without_ttl(message: Message) -> Message:
    """The TTL that is recorded is the effective one, which the model does not spell out."""
    return replace(message, ttl=None) if isinstance(message, Set) else message


@pytest.mark.property
def test_a_core_answers_like_a_dict() -> None:
    """Fifty random steps at a time."""
    run_state_machine_as_test(CoreMachine)
