"""Who hears what: patterns, ids, types, and the groups behind them."""

import gc
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.address import Pattern
from clasp_journal.entry import SignalType
from router.core.session import Session
from router.core.subscriptions import NOBODY, Subscription, Subscriptions
from router.wire.codes import ErrorCode
from router.wire.messages import Bundle, Set, Subscribe, Unsubscribe
from tests.router.core.desk import Desk, codes

PARAM_ONLY, EVENT_ONLY = 1 << SignalType.PARAM, 1 << SignalType.EVENT

pieces = st.sampled_from(
    ["a", "b", "ab", "zone1", "?", "[a]", "!a", "*", "**", "a*", "*b", "z*1", "a*b", "***"]
)
words = st.sampled_from(["a", "b", "ab", "axb", "zone1", "z1", "?", "[a]", "!a", "*", "**", "日"])
ends = st.sampled_from(["", "/"])
patterns = st.tuples(st.lists(pieces, max_size=4), ends).map(lambda drawn: _joined(*drawn))
addresses = st.tuples(st.lists(words, max_size=5), ends).map(lambda drawn: _joined(*drawn))


def _joined(segments, end):
    return "/" + "/".join(segments) + end if segments else "/"


def filed(subscriptions, session, number, pattern, type_mask=0xFF):
    """A subscription that has been added."""
    subscription = Subscription(session, Subscribe(number, pattern, type_mask), Pattern.parse(pattern))
    subscriptions.add(subscription)
    return subscription


@pytest.mark.property
@given(
    st.lists(patterns, max_size=8), st.sets(st.integers(0, 7)), st.lists(addresses, min_size=1, max_size=5)
)
def test_the_trie_answers_as_each_pattern_would(texts, dropped, asked):
    """Also after some were dropped again; and it then is as large as if they had never been there."""
    trie, session = Subscriptions(), Session(1, "s", None)
    for number, text in enumerate(texts):
        filed(trie, session, number, text)
    for number in dropped:
        trie.remove(session, number)
    for address in asked:
        expected = {s.id for s in trie.of(session).values() if s.pattern.matches(address)}
        found = [subscription.id for subscription in trie.matching(address)]
        assert sorted(found) == sorted(expected)
    trie.remove_all(session)
    assert trie._root.is_bare
    assert trie.count == 0


def test_wildcards_that_are_given_up_make_room():
    """By the same id again, or by unsubscribing."""
    client = Desk(wildcards=2).connect()
    client.subscribe("/*/*", 1)
    assert codes(client.say(Subscribe(1, "/**/*"))) == []
    assert codes(client.say(Subscribe(2, "/*"))) == [429]
    client.say(Unsubscribe(1))
    assert codes(client.say(Subscribe(2, "/*"))) == []


@pytest.mark.property
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), patterns, st.integers(0, 255)), max_size=12),
    st.sets(st.tuples(st.integers(0, 3), st.integers(0, 3))),
    st.lists(st.tuples(addresses, st.sampled_from(SignalType)), min_size=1, max_size=6),
)
def test_a_group_is_everybody_who_asked_for_it_once(filings, dropped, asked):
    """Whatever number of subscriptions match, with whatever types, the last one of an id counting; whatever
    was looked up before, and also after some were dropped."""
    subscriptions = Subscriptions()
    sessions = [Session(number, f"s{number}", None) for number in range(4)]
    wanted = {}
    for who, number, text, mask in filings:
        filed(subscriptions, sessions[who], number, text, mask)
        wanted[who, number] = (text, mask)
    for gone in (set(), dropped):
        for who, number in gone:
            subscriptions.remove(sessions[who], number)
            wanted.pop((who, number), None)
        for address, signal in asked:
            expected = {
                who
                for (who, _), (text, mask) in wanted.items()
                if Pattern.parse(text).matches(address) and (mask & (1 << signal) or not mask & 0x1F)
            }
            readers = subscriptions.readers(address, signal)
            assert [session.number for session in readers.members] == sorted(expected)


def test_a_session_hears_one_copy_however_many_subscriptions_match(desk):
    """Of SETs and of signals."""
    writer, reader = desk.connect(), desk.connect()
    for number, pattern in enumerate(["/a/b", "/a/*", "/**", "/a/**", "/**/b", "/a/b*"]):
        reader.subscribe(pattern, number)
    writer.set("/a/b", 1)
    writer.publish("/a/b", 2)
    assert reader.values() == [1, 2]


def test_an_id_that_is_used_again_replaces_what_it_stood_for(desk):
    """The old pattern is heard no more; ids of other sessions are their own."""
    writer, reader, other = desk.connect(), desk.connect(), desk.connect()
    for client in (reader, other):
        client.subscribe("/a", 7)
    reader.subscribe("/b", 7)
    writer.publish("/a", 1)
    writer.publish("/b", 2)
    assert reader.values() == [2]
    assert other.values() == [1]


def test_a_refused_subscription_leaves_the_old_one_of_its_id(desk):
    """Nothing was agreed, so nothing has changed."""
    writer, reader = desk.connect(), desk.connect()
    reader.subscribe("/a", 7)
    (error,) = reader.subscribe("a//b", 7)
    assert (error.code, error.address) == (ErrorCode.INVALID_PATTERN, "a//b")
    writer.publish("/a", 1)
    assert reader.values() == [1]


def test_who_unsubscribes_hears_no_more(desk):
    """Of that subscription; an id that stands for nothing is no fault."""
    writer, reader = desk.connect(), desk.connect()
    reader.subscribe("/a", 1)
    reader.subscribe("/b", 2)
    assert reader.say(Unsubscribe(1)) == []
    assert reader.say(Unsubscribe(99)) == []
    writer.publish("/a", 1)
    writer.publish("/b", 2)
    assert reader.values() == [2]


def test_who_leaves_is_forgotten(desk):
    """By the groups, by the topics that nobody has touched since, and by everything else."""
    writer, reader = desk.connect(), desk.connect()
    reader.session.outbox = mark = Subscriptions()
    witness = weakref.ref(mark)
    reader.subscribe("/**", max_rate=1)
    reader.subscribe("/**", 2)
    for address in ("/a", "/b"):
        writer.set(address, 1)
        writer.set(address, 2)
        writer.publish(address)
    reader.leave()
    writer.subscribe("/x")
    desk.ports.groups.clear()
    desk.ports.cancelled.clear()
    del reader, mark
    gc.collect()
    assert witness() is None


@pytest.mark.parametrize("mask", [0x00, 0x20, 0xE0, 0xFF])
def test_a_mask_without_a_known_type_means_all(desk, mask):
    """As published clients have it."""
    writer, reader = desk.connect(), desk.connect()
    reader.subscribe("/a", type_mask=mask)
    writer.set("/a", 0)
    for signal in (SignalType.PARAM, SignalType.EVENT, SignalType.STREAM, SignalType.TIMELINE):
        writer.publish("/a", int(signal), signal=signal)
    assert reader.values() == [0, 0, 1, 2, 4]


def test_types_say_what_is_heard(desk):
    """SET counts as param, PUBLISH as its signal type; several subscriptions add up."""
    writer, params, events, both = (desk.connect() for _ in range(4))
    params.subscribe("/a", type_mask=PARAM_ONLY)
    events.subscribe("/a", type_mask=EVENT_ONLY)
    both.subscribe("/a", 1, type_mask=PARAM_ONLY)
    both.subscribe("/**", 2, type_mask=EVENT_ONLY | 1 << SignalType.GESTURE)
    writer.set("/a", "set")
    writer.publish("/a", "event")
    writer.publish("/a", "stream", signal=SignalType.STREAM)
    writer.publish("/a", "gesture", signal=SignalType.GESTURE)
    assert params.values() == ["set"]
    assert events.values() == ["event"]
    assert both.values() == ["set", "event", "gesture"]


def test_equal_groups_are_one_object(desk):
    """Whatever addresses they come from, so that messages in a row can be joined for all of them."""
    writer, reader, other = desk.connect(), desk.connect(), desk.connect()
    reader.subscribe("/**")
    other.subscribe("/a/*")
    for address in ("/a/1", "/a/2", "/b", "/c"):
        writer.set(address, 1)
    first, second, third, fourth = desk.ports.groups
    assert first is second
    assert third is fourth
    assert first is not third


def test_nobody_is_a_group_like_any_other():
    """Where no one listens, nothing is built."""
    assert Subscriptions().readers("/a", SignalType.PARAM) is NOBODY
    assert not NOBODY


def test_a_subscription_counts_from_the_next_message_on(desk):
    """Also for an address whose readers were known already, and within one breath."""
    writer, reader = desk.connect(), desk.connect()
    for _ in range(2):
        writer.set("/a", 1)
        writer.publish("/b", 1)
    reader.subscribe("/**")
    reader.heard()
    writer.say(Bundle([Set("/a", b"\x00")]))
    writer.publish("/b", 2)
    assert reader.values() == [None, 2]


def test_subscriptions_end_at_the_limit(desk):
    """1,000 of a session; replacing one is no new one, and running replays count."""
    client = desk.connect()
    for number in range(999):
        client.subscribe("/a", number)
    client.session.replays = 1
    assert codes(client.subscribe("/a", 999)) == [ErrorCode.TOO_MANY]
    assert codes(client.subscribe("/b", 5)) == []
    client.session.replays = 0
    assert codes(client.subscribe("/a", 999)) == []
    assert codes(client.subscribe("/a", 1_000)) == [ErrorCode.TOO_MANY]
    client.say(Unsubscribe(5))
    assert codes(client.subscribe("/a", 1_000)) == []
