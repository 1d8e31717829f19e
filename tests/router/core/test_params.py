"""SET and GET: revisions, expectations, echo, acknowledgement, and what the journal is told."""

from clasp_journal import value as values
from clasp_journal.entry import TTL_NEVER, absolute_ttl, sliding_ttl
from router.core.ground import Settings
from router.wire.codes import ErrorCode
from router.wire.messages import Ack, Bundle, Get, Set, Snapshot
from tests.router.core.desk import Desk, acks, codes


def test_the_first_set_is_revision_one_and_each_next_is_one_more(desk):
    """Accepted writes count, whoever made them and whatever they say."""
    one, two = desk.connect(), desk.connect()
    revisions = [acks(client.set("/a", 7, qos=1))[0].revision for client in (one, one, two)]
    assert revisions == [1, 2, 3]


def test_addresses_count_on_their_own(desk):
    """A revision belongs to one address."""
    client = desk.connect()
    client.set("/a", 1)
    assert client.set("/b", 1, qos=1) == [Ack("/b", 1)]


def test_no_ack_without_being_asked_for(desk):
    """QoS 0, and the reserved 3, which counts as 0."""
    client = desk.connect()
    assert client.set("/a", 1, qos=0) == []
    assert client.set("/a", 1, qos=3) == []
    assert client.set("/a", 1, qos=3, revision=2) == []


def test_an_ack_names_the_durability_that_was_asked_for(desk):
    """The port hears the QoS, since it decides what the ACK waits for."""
    client = desk.connect()
    for qos in (1, 2):
        client.set("/a", 1, qos)
    assert [call[3] for call in desk.ports.calls if call[0] == "acknowledge"] == [1, 2]


def test_a_sender_hears_its_own_set_before_the_ack(desk):
    """The echo is what its subscription delivers."""
    client = desk.connect()
    client.subscribe("/a")
    expected = [Set("/a", values.encode(3), 1), Ack("/a", 1)]
    assert client.set("/a", 3, qos=1) == expected


def test_a_set_reaches_others_with_its_revision_and_the_flags_it_came_with(desk):
    """Lock, unlock and TTL are told as they were said, also where the effective ones differ."""
    writer, reader = desk.connect(), desk.connect()
    reader.subscribe("/**")
    for sent in (
        Set("/a", values.encode(1), lock=True, ttl=sliding_ttl(60)),
        Set("/a", values.encode(2)),
        Set("/a", values.encode(3), revision=2, unlock=True),
        Set("/a", values.encode(4), ttl=TTL_NEVER),
    ):
        writer.say(sent)
    assert reader.heard() == [
        Set("/a", values.encode(1), 1, lock=True, ttl=sliding_ttl(60)),
        Set("/a", values.encode(2), 2),
        Set("/a", values.encode(3), 3, unlock=True),
        Set("/a", values.encode(4), 4, ttl=TTL_NEVER),
    ]


def test_the_journal_is_told_the_effective_ttl(desk):
    """Also by a SET that says nothing about it and keeps the one before."""
    client = desk.connect()
    client.set("/a", 1, ttl=absolute_ttl(60))
    client.set("/a", 2)
    client.set("/a", 3, ttl=TTL_NEVER)
    client.set("/a", 4)
    ttls = [message.ttl or TTL_NEVER for message in desk.recorded()]
    assert ttls == [absolute_ttl(60), absolute_ttl(60), TTL_NEVER, TTL_NEVER]


def test_the_default_ttl_is_the_effective_one_of_a_set_without():
    """What the operator set is recorded, and not told to readers, who were not sent it."""
    desk = Desk(Settings(default_ttl=sliding_ttl(60)))
    client = desk.connect()
    client.subscribe("/a")
    assert client.set("/a", 1) == [Set("/a", values.encode(1), 1)]
    assert desk.recorded() == [Set("/a", values.encode(1), 1, ttl=sliding_ttl(60))]


def test_an_expected_revision_that_differs_is_a_conflict_and_changes_nothing(desk):
    """ERROR 400 about the address; no value, revision, entry or delivery."""
    client = desk.connect()
    client.set("/a", 1)
    client.set("/a", 2)
    desk.recorded()
    reader = desk.connect()
    reader.subscribe("/**")
    reader.heard()
    for wrong in (0, 1, 3):
        heard = client.set("/a", 9, qos=2, revision=wrong)
        assert codes(heard) == [ErrorCode.REVISION_CONFLICT]
        assert heard[0].address == "/a"
        assert len(heard) == 1
    assert reader.heard() == []
    assert desk.recorded() == []
    assert client.set("/a", 3, qos=1, revision=2) == [Ack("/a", 3)]


def test_expecting_revision_zero_means_that_there_must_be_no_param(desk):
    """So one of many creates it, and the others are told."""
    one, two = desk.connect(), desk.connect()
    assert one.set("/a", 1, qos=1, revision=0) == [Ack("/a", 1)]
    assert codes(two.set("/a", 2, qos=1, revision=0)) == [ErrorCode.REVISION_CONFLICT]


def test_expecting_a_revision_of_an_unknown_address_is_a_conflict(desk):
    """Nothing is there that could have it."""
    assert codes(desk.connect().set("/a", 1, revision=1)) == [ErrorCode.REVISION_CONFLICT]
    assert desk.core.ground.topics.live == 0


def test_get_answers_with_the_one_param(desk):
    """Value, revision, writer and the time of the last write."""
    writer, reader = desk.connect("writer"), desk.connect()
    writer.set("/a", 1)
    desk.later(1)
    written = desk.now
    writer.set("/a", [1, "two"])
    desk.later(1)
    ((param,),) = [message.params for message in reader.say(Get("/a"))]
    assert (param.value, param.revision, param.writer, param.timestamp) == ([1, "two"], 2, "writer", written)


def test_get_of_an_unknown_address_is_silence(desk):
    """Clients time out by design; a signal's address has no value either."""
    client = desk.connect()
    client.publish("/event")
    assert client.say(Get("/a")) == []
    assert client.say(Get("/event")) == []


def test_get_takes_addresses_not_patterns(desk):
    """A star is a character in an address; a text that is no address is refused."""
    client = desk.connect()
    client.set("/a", 1)
    client.set("/*", 2)
    heard = client.say(Get("/*"))
    assert [param.address for message in heard for param in message.params] == ["/*"]
    assert codes(client.say(Get("a"))) == [ErrorCode.INVALID_ADDRESS]


def test_a_bad_address_is_refused_by_name(desk):
    """ERROR 200 says which it was."""
    client = desk.connect()
    for address in ("", "a", "//", "/a//b", "/" + "x" * 1024):
        (error,) = client.set(address, 1, qos=1)
        assert error.code == ErrorCode.INVALID_ADDRESS
        assert error.address in (address, None)
    assert desk.recorded() == []


def test_values_are_carried_to_the_bit(desk):
    """Narrow numbers, NaN with a payload, bytes and the order of maps arrive as they were sent."""
    writer, reader = desk.connect(), desk.connect()
    reader.subscribe("/a")
    sent = [
        b"\x02\xff",
        b"\x06\x7f\xc0\x00\x01",
        b"\x07\x7f\xf8\x00\x00\x00\x00\xbe\xef",
        values.encode(b"\x00\xff"),
        values.encode({"b": 1, "a": 2}),
        b"\x01\x07",
    ]
    for encoded in sent:
        writer.say(Set("/a", encoded))
    assert [message.encoded for message in reader.heard()] == sent
    assert desk.snapshot("/a").encoded == sent[-1]


def test_address_and_value_have_one_limit_together(desk):
    """65,000 bytes pass, one more is ERROR 402, in the plain form and in all others."""
    client = desk.connect()
    fitting = bytes(65_000 - len("/a") - 2)
    for rest in ({}, {"lock": True}):
        assert codes(client.set("/a", fitting, **rest)) == []
        assert codes(client.set("/a", fitting + b"x", **rest)) == [ErrorCode.INVALID_VALUE]
    assert desk.snapshot("/a").value == fitting


def test_the_largest_param_fits_into_every_answer(desk):
    """What was accepted can be told again: as an echo with all its flags, and in a SNAPSHOT."""
    client = desk.connect()
    client.subscribe("/a")
    largest = bytes(65_000 - len("/a") - 2)
    (echo,) = client.set("/a", largest, revision=0, lock=True, ttl=1)
    assert echo.value == largest
    ((param,),) = [message.params for message in client.say(Get("/a")) if isinstance(message, Snapshot)]
    assert param.value == largest


def test_new_params_end_at_the_limit_and_known_ones_do_not():
    """ERROR 429 for what is new; nothing is evicted for it, and expiry makes room."""
    desk = Desk(params=2)
    client = desk.connect()
    client.set("/a", 1)
    client.set("/b", 1, ttl=absolute_ttl(10))
    assert codes(client.set("/c", 1)) == [ErrorCode.TOO_MANY]
    assert client.set("/a", 2, qos=1) == [Ack("/a", 2)]
    desk.later(10)
    assert client.set("/c", 1, qos=1) == [Ack("/c", 1)]
    assert codes(client.set("/b", 1)) == [ErrorCode.TOO_MANY]


def test_long_values_end_at_the_limit_of_their_bytes():
    """ERROR 429 for what needs more room, new or not; what has it keeps it, what goes gives it back."""
    desk = Desk(params_bytes=1_000)
    client = desk.connect()
    client.set("/a", "x" * 500)
    client.set("/b", "x" * 500, ttl=absolute_ttl(10))
    assert codes(client.set("/c", "x" * 200)) == [ErrorCode.TOO_MANY]
    assert codes(client.set("/a", "x" * 600)) == [ErrorCode.TOO_MANY]
    assert client.set("/c", 1.5, qos=1) == [Ack("/c", 1)]
    assert client.set("/a", "y" * 500, qos=1) == [Ack("/a", 2)]
    two = Bundle([Set("/c", values.encode("x" * 200)), Set("/a", values.encode(""))])
    assert client.say(two, 1) == [Ack(revision=3)]
    assert codes(client.set("/a", "x" * 500)) == [ErrorCode.TOO_MANY]
    desk.later(10)
    assert client.set("/a", "x" * 500, qos=1) == [Ack("/a", 4)]
    smaller = Desk(params_bytes=100)
    smaller.core.restore([desk.snapshot("/a")], 0, smaller.now)
    assert smaller.connect().set("/a", "z" * 500, qos=1) == [Ack("/a", 5)]


def test_nothing_is_written_while_the_journal_cannot(desk):
    """ERROR 500 and no change, fast form or not; reading goes on, and writing when it can be again."""
    client = desk.connect()
    client.set("/a", 1)
    client.subscribe("/**")
    desk.recorded()
    desk.core.ground.accepting = False
    for qos in (0, 2):
        assert codes(client.set("/a", 2, qos)) == [ErrorCode.INTERNAL]
        assert codes(client.set("/new", 2, qos)) == [ErrorCode.INTERNAL]
        assert codes(client.publish("/a", 2, qos)) == [ErrorCode.INTERNAL]
    assert desk.recorded() == []
    ((param,),) = [message.params for message in client.say(Get("/a"))]
    assert param.value == 1
    desk.core.ground.accepting = True
    assert client.set("/a", 2, qos=1)[-1] == Ack("/a", 2)
