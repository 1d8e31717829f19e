"""Any bytes: the core never raises, answers what it refuses, and others do not notice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.wire import codec, legacy
from router.wire.frame import encode_frame
from router.wire.messages import Ack, Hello, Publish, Set, Subscribe
from tests.router.core.desk import Desk
from tests.router.wire.strategies import any_messages, legacy_messages, mutated


@st.composite
def frames(draw):
    """Sound or broken messages in sound or broken frames, and plain noise."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=60))
    if draw(st.booleans()):
        payload = legacy.encode(draw(legacy_messages))
    else:
        message = _at(draw(any_messages), draw(st.sampled_from([None, "/a", "/b/c", "/clasp/p2p/announce"])))
        payload = codec.encode(message)
    broken = draw(st.sampled_from([None, None, "payload", "frame"]))
    if broken == "payload":
        payload = draw(mutated(payload)) or b"\x00"
    frame = encode_frame(payload, draw(st.integers(0, 3)))
    return draw(mutated(frame)) if broken == "frame" else frame


def _at(message, address):
    """The same message, about an address that is one."""
    if address is None:
        return message
    if isinstance(message, (Set, Publish)):
        message.address = address
    elif isinstance(message, Subscribe):
        message.pattern = address
    return message


@pytest.mark.property
@given(st.lists(frames(), max_size=8), st.booleans())
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
@given(st.lists(frames(), min_size=1, max_size=4))
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
