"""What Hypothesis draws: values, entries, every kind of message, and bytes that were tampered with."""

import struct

from hypothesis import strategies as st

from clasp_journal import value as values
from clasp_journal.entry import EntryKind, JournalEntry, ParamSnapshot, Phase, SignalType
from router.wire import messages

u8, u16, u32, u64 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32, 64))
i64 = st.integers(-(1 << 63), (1 << 63) - 1)
texts = st.text(max_size=12)
numbers = st.floats(allow_nan=False)
signals = st.sampled_from(SignalType)
phases = st.sampled_from(Phase)


def optional(strategy):
    """Something, or None."""
    return st.none() | strategy


any_values = st.recursive(
    st.none() | st.booleans() | i64 | st.floats() | texts | st.binary(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)


def narrow(kind, form, strategy):
    """The bytes of a number of a type that encoders do not write."""
    return strategy.map(lambda number: bytes((kind,)) + struct.pack(form, number))


canonical = any_values.map(values.encode)
any_encoded = st.one_of(
    canonical,
    narrow(2, ">b", st.integers(-128, 127)),
    narrow(3, ">h", st.integers(-(1 << 15), (1 << 15) - 1)),
    narrow(4, ">i", st.integers(-(1 << 31), (1 << 31) - 1)),
    narrow(6, ">f", st.floats(width=32)),
)
maps = st.dictionaries(texts, any_values, max_size=3).map(values.encode)
samples = st.lists(st.floats(), max_size=4).map(messages.pack_samples)


def publishes(encoded=any_encoded):
    """PUBLISH with a value, with samples, or with neither."""
    bodies = st.one_of(
        st.just({}),
        encoded.map(lambda one: {"encoded": one}),
        samples.map(lambda block: {"samples": block}),
    )
    rest = st.fixed_dictionaries(
        {
            "address": texts,
            "signal": signals,
            "phase": phases,
            "timestamp": optional(u64),
            "gesture_id": optional(u32),
            "rate": optional(u32),
        }
    )
    return st.builds(lambda one, other: messages.Publish(**one, **other), rest, bodies)


def sets(encoded=any_encoded):
    """SET in all its forms."""
    return st.builds(messages.Set, texts, encoded, optional(u64), st.booleans(), st.booleans(), optional(u32))


def metas(encoded=any_encoded):
    """What ANNOUNCE tells about a signal."""
    return st.builds(
        messages.Meta,
        optional(texts),
        optional(st.tuples(numbers, numbers)),
        optional(encoded),
        optional(texts),
    )


def signal_defs(meta):
    """An announced signal, with whatever meta."""
    return st.builds(messages.SignalDef, texts, signals, optional(texts), optional(texts), meta)


options = st.builds(
    messages.SubscribeOptions, optional(u32), optional(numbers), optional(u32), optional(u32)
).filter(lambda one: one != messages.SubscribeOptions())


def params(encoded=any_encoded):
    """One param of a SNAPSHOT."""
    return st.builds(ParamSnapshot, texts, encoded, u64, texts, u64, ttl=st.none())


tokens = optional(st.text(min_size=1, max_size=12))


def plain_messages(encoded=any_encoded, features=u8, masks=u8):
    """Every message of the published protocol but BUNDLE."""
    return st.one_of(
        st.builds(messages.Hello, texts, u8, features, tokens),
        st.builds(messages.Welcome, u64, texts, texts, u8, features, tokens),
        st.builds(messages.Announce, texts, st.lists(signal_defs(optional(metas(encoded))), max_size=3)),
        st.builds(
            messages.FederationSync,
            st.sampled_from(messages.FederationOp),
            st.lists(texts, max_size=3),
            st.dictionaries(texts, u64, max_size=3),
            optional(u64),
            optional(texts),
        ),
        st.builds(messages.Subscribe, u32, texts, masks, optional(options)),
        st.builds(messages.Unsubscribe, u32),
        publishes(encoded),
        sets(encoded),
        st.builds(messages.Get, texts),
        st.builds(messages.Snapshot, st.lists(params(encoded), max_size=3)),
        st.builds(messages.Replay, texts, optional(u64), optional(u64), optional(u32), masks),
        st.builds(messages.Sync, u64, optional(u64), optional(u64)),
        st.builds(messages.Ping),
        st.builds(messages.Pong),
        st.builds(
            messages.Ack,
            optional(texts),
            optional(u64),
            optional(st.booleans()),
            optional(texts),
            optional(u32),
        ),
        st.builds(messages.Error, u16, texts, optional(texts), optional(u32)),
        st.builds(messages.Query, texts),
        st.builds(messages.Result, st.lists(signal_defs(st.none()), max_size=3)),
    )


def bundled(inner):
    """These messages, alone or in bundles within bundles."""
    level = inner
    for _ in range(messages.BUNDLE_DEPTH_MAX):
        level = inner | st.builds(messages.Bundle, st.lists(level, max_size=3), optional(u64))
    return level


@st.composite
def extensions(draw):
    """What REPLAY may carry behind its type mask."""
    after = draw(optional(st.tuples(u64, texts))) or (None, None)
    flags = draw(st.tuples(*[st.booleans()] * 4))
    return messages.ReplayExtension(draw(u32), 1, *flags, *after, draw(optional(texts)))


entries = st.builds(
    JournalEntry,
    timestamp=u64,
    author=texts,
    address=texts,
    kind=st.sampled_from(EntryKind),
    signal_type=optional(signals),
    encoded=optional(any_encoded),
    revision=optional(u64),
    seq=u64,
    ttl=optional(u32),
    samples=optional(samples),
    rate=optional(u32),
    gesture_id=optional(u32),
    phase=optional(phases),
    sent=optional(u64),
    name=optional(texts),
    details=optional(
        maps | st.dictionaries(st.sampled_from(("name", "id", "details", "from")), i64).map(values.encode)
    ),
)

history_messages = st.one_of(
    st.builds(messages.Replay, texts, optional(u64), optional(u64), optional(u32), u8, extensions()),
    st.builds(messages.Entries, u32, texts, u64, st.lists(entries, max_size=3), st.booleans(), st.booleans()),
    st.builds(messages.JournalDo, u32, texts, maps),
    st.builds(messages.JournalDone, u32, u8, maps),
)

any_messages = bundled(plain_messages() | history_messages)

legacy_messages = bundled(
    plain_messages(
        encoded=canonical.filter(lambda encoded: encoded != values.NULL),
        features=st.integers(0, 0x7F).map(lambda bits: bits << 1),
        masks=st.integers(1, 0x1F) | st.just(0xFF),
    )
)


@st.composite
def mutated(draw, data):
    """The bytes with some of them changed, lost, doubled or added."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(changed)))
        match draw(st.integers(0, 3)):
            case 0:
                changed[at : at + 1] = bytes((draw(u8),))
            case 1:
                del changed[at : at + draw(st.integers(1, 4))]
            case 2:
                changed[at:at] = draw(st.binary(min_size=1, max_size=4))
            case _:
                del changed[at:]
    return bytes(changed)
