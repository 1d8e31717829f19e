"""Any bytes: the core never raises, answers what it refuses, and others do not notice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.wire import codec, legacy
from router.wire.frame import encode_frame
from router.wire.messages import Ack, Hello, Publish, Set, Subscribe
from tests.router.core.desk import Desk
from tests.router.wire.strategies import any_messages, legacy_messages, mutated

payloads = any_messages.map(codec.encode) | legacy_messages.map(legacy.encode)
frames = st.one_of(
    payloads.map(encode_frame),
    payloads.flatmap(mutated).filter(len).map(encode_frame),
    payloads.map(encode_frame).flatmap(mutated),
    st.binary(max_size=60),
)
rooted = st.sampled_from(["/a", "/b/c", "/clasp/p2p/announce"])
sensible = st.one_of(
    st.builds(lambda one, address: _at(one, address), any_messages, rooted).map(
        lambda message: encode_frame(codec.encode(message), 2)
    ),
    frames,
)


def _at(message, address):
    """The same message about an address that is one."""
    if isinstance(message, (Set, Publish)):
        message.address = address
    elif isinstance(message, Subscribe):
        message.pattern = address
    return message


@pytest.mark.property
@given(st.lists(sensible, max_size=8), st.booleans())
def test_whatever_comes_the_core_goes_on(sent, greets):
    """All of it is taken or answered, time passes, and the next client is served."""
    desk = Desk(errors_per_minute=5)
    client, witness = desk.knock(), desk.connect()
    witness.subscribe("/witness")
    if greets:
        client.say(Hello())
    for frame in sent:
        client.send(frame)
        desk.later(0.5)
    client.leave()
    desk.later(7_200)
    assert len(desk.core.ground.sessions) == 1
    assert isinstance(desk.connect().set("/witness", 1, qos=1)[-1], Ack)
    assert witness.values() == [1]


@pytest.mark.property
@given(st.lists(st.binary(max_size=40) | frames, min_size=1, max_size=4))
def test_before_hello_nothing_has_an_effect(sent):
    """Nothing is recorded, delivered or kept of who does not introduce itself."""
    desk = Desk()
    client = desk.knock()
    for frame in sent:
        client.send(frame)
        if client.session in desk.core.ground.sessions.values():
            return
    assert not desk.ports.recorded
    assert not desk.ports.groups
    assert desk.core.ground.topics.live == 0
    assert [code for _, code, _ in desk.ports.closes] == [1008]
