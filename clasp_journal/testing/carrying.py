"""Carrying: every entry comes back to the bit."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from clasp_journal.entry import (
    EntryKind,
    JournalEntry,
    Phase,
    SignalType,
    absolute_ttl,
)
from clasp_journal.testing.samples import START_US, Make, must_hold, stored, was_set
from clasp_journal.value import Value, encode

FLOAT_BITS = (
    *(0x0000000000000000, 0x8000000000000000, 0x3FF0000000000000, 0x3FB999999999999A, 0x0000000000000001),
    *(0x7FF0000000000000, 0xFFF0000000000000, 0x7FEFFFFFFFFFFFFF, 0x4340000000000001, 0xC08F400000000000),
    *(0x7FF8000000000000, 0xFFF8000000000000, 0x7FF8000000000001, 0x7FF0000000000001, 0xFFFFFFFFFFFFFFFF),
)
"""±0, 1, 0.1, the smallest, ±inf, the largest, 2^53 + 2, -1000; NaNs quiet, negative, signalling and full."""

NARROW = (
    *(b"\x02\x00", b"\x02\x7f", b"\x02\x80", b"\x03\x00\x01", b"\x03\x80\x00"),
    *(b"\x04\x00\x00\x00\x01", b"\x04\x80\x00\x00\x00", b"\x06\x3d\xcc\xcc\xcd", b"\x06\x80\x00\x00\x00"),
    *(b"\x06\x7f\x80\x00\x00", b"\x06\x7f\xa0\x00\x01", b"\x06\x7f\xc0\x00\x00", b"\x06\x00\x00\x00\x01"),
    *(b"\x01\x02", b"\x01\xff"),
)
"""Values in the types that are only read, and booleans that are neither 0 nor 1."""

VALUES: list[Value] = [
    *(None, False, True, 0, 1, -1, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)),
    *("", "text", "1", "1.5", "ü€😀", "nul \x00 inside", "O'Neil; --", "x" * 0xFFFF),
    *(b"", b"\x00", b"text", bytes(range(256)), b"\xff" * 0xFFFF),
    [],
    {},
    [[]],
    {"": {}},
    [None, True, 1, 1.0, "1", b"1", [1, [2]], {"k": None}],
    {"z": 1, "a": 2, "m": [0.5, -0.0]},
    {"ä": {"ö": {"ü": b"\x00"}}},
    [0.0] * 2_000,
]


def _with_value(encoded: bytes | None, n: int) -> JournalEntry:
    return JournalEntry(START_US + n, "desk", "/v", EntryKind.SET, SignalType.PARAM, encoded, n)


async def check_every_value_comes_back_to_the_bit(make: Make) -> None:
    """Types, widths, signs of zero, payloads of NaN, order of keys: nothing is converted."""
    floats = [b"\x07" + struct.pack(">Q", bits) for bits in FLOAT_BITS]
    nested = [b"\x0a\x00\x02" + floats[-1] + narrow for narrow in NARROW]
    encoded = [*floats, *NARROW, *nested, *(encode(value) for value in VALUES)]
    async with await make() as journal:
        kept = await stored(journal, [_with_value(value, n) for n, value in enumerate(encoded)])
        await must_hold(journal, kept)
        found = await journal.query("/v", limit=len(kept), newest=True)
        for here, there in zip(found, kept, strict=True):
            assert here.encoded == there.encoded, f"{there.encoded!r} came back as {here.encoded!r}"


async def check_null_is_not_the_same_as_no_value(make: Make) -> None:
    """A message that carried null carried something."""
    async with await make() as journal:
        await journal.append([_with_value(b"\x00", 0), _with_value(None, 1)])
        assert [entry.encoded for entry in await journal.query()] == [b"\x00", None]


def _full_entry() -> JournalEntry:
    """An entry that has everything."""
    return JournalEntry(
        timestamp=START_US,
        author="subject",
        address="/gesture",
        kind=EntryKind.PUBLISH,
        signal_type=SignalType.GESTURE,
        encoded=encode([1, 2]),
        revision=2**63 - 1,
        ttl=absolute_ttl(2**31 - 1),
        samples=struct.pack(">3d", 1.0, -0.0, float("nan")),
        rate=44_100,
        gesture_id=0xFFFF_FFFF,
        phase=Phase.CANCEL,
        sent=START_US - 5,
        name="Désk",
        details=encode({"why": "all of it"}),
    )


def _but(entry: JournalEntry, changes: Mapping[str, object]) -> JournalEntry:
    """The entry with other things in it, named as its fields are."""
    return JournalEntry(**{**entry._asdict(), **changes})


async def check_everything_an_entry_carries_is_kept(make: Make) -> None:
    """All together, each one alone missing, and each one alone there."""
    full = _full_entry()
    bare = _but(full, dict.fromkeys(_OPTIONAL))
    entries = [full, bare]
    for field in _OPTIONAL:
        entries.append(_but(full, {field: None}))
        entries.append(_but(bare, {field: getattr(full, field)}))
    async with await make() as journal:
        await must_hold(journal, await stored(journal, entries))


_OPTIONAL = (
    *("signal_type", "encoded", "revision", "ttl", "samples", "rate", "gesture_id", "phase", "sent", "name"),
    "details",
)


async def check_zero_is_not_the_same_as_absent(make: Make) -> None:
    """A rate, id, phase, TTL, revision, text or blob of nothing is something that was said."""
    zeros: dict[str, object] = {
        "revision": 0,
        "ttl": 0,
        "samples": b"",
        "rate": 0,
        "gesture_id": 0,
        "phase": Phase.START,
        "sent": 0,
        "name": "",
        "details": b"",
    }
    bare = JournalEntry(0, "", "/", EntryKind.PUBLISH, SignalType.PARAM)
    entries = [bare, _but(bare, zeros), *(_but(bare, {name: zero}) for name, zero in zeros.items())]
    async with await make() as journal:
        await must_hold(journal, await stored(journal, entries))


async def check_a_sender_may_have_any_clock(make: Make) -> None:
    """The sender's timestamp is 64 bits that somebody else chose."""
    async with await make() as journal:
        sent = (0, 1, 2**63 - 1, 2**63, 2**64 - 1)
        await must_hold(journal, await stored(journal, [was_set("/a")._replace(sent=at) for at in sent]))


async def check_kinds_types_and_phases_come_back_as_such(make: Make) -> None:
    """Not as bare numbers: a caller may ask for their names."""
    async with await make() as journal:
        kept = await stored(
            journal,
            [
                *(JournalEntry(START_US, "", "/k", kind) for kind in EntryKind),
                *(JournalEntry(START_US, "", "/t", EntryKind.PUBLISH, kind) for kind in SignalType),
                *(was_set("/p")._replace(phase=phase) for phase in Phase),
            ],
        )
        for here, there in zip(await journal.query(), kept, strict=True):
            assert here == there
            assert isinstance(here.kind, EntryKind), f"kind {here.kind!r}"
            assert isinstance(here.signal_type, SignalType | None), f"signal type {here.signal_type!r}"
            assert isinstance(here.phase, Phase | None), f"phase {here.phase!r}"


async def check_own_kinds_without_an_address_are_matched_by_everything_alone(make: Make) -> None:
    """A mark or a gap belongs to no address; only `/**` asks for it."""
    details = encode({"label": "doors open", "at": START_US})
    own = [JournalEntry(START_US + n, "", "", EntryKind(0xE1 + n), details=details) for n in range(4)]
    async with await make() as journal:
        kept = await stored(journal, [was_set("/a"), *own, was_set("/a/b")])
        await must_hold(journal, kept)
        assert await journal.query("/**", kinds=(0xE1, 0xE2, 0xE3, 0xE4)) == kept[1:5]
        assert await journal.query("/**", limit=2, newest=True) == kept[4:]
        for pattern in ("/*", "/", "/**/**", "/**/*", "/a/**", "/a"):
            found = await journal.query(pattern)
            assert all(entry.address for entry in found), f"{pattern} showed an entry without an address"
        assert await journal.query("/**/**") == [kept[0], kept[5]]


async def check_texts_are_kept_whatever_they_hold(make: Make) -> None:
    """Long, foreign, quoted, with a zero character inside; addresses that differ in case are different."""
    addresses = ("/" + "x" * 1_023, "/ä/€/😀", "/it's", '/"', "/a\x00b", "/a\x00c", "/Case", "/case", "/%_*")
    authors = ("", "desk", "Desk", "ünï", "null \x00", "'; --", "x" * 300)
    async with await make() as journal:
        kept = await stored(
            journal,
            [was_set(address, n, author=author) for n, address in enumerate(addresses) for author in authors],
        )
        await must_hold(journal, kept)
        for author in authors:
            assert await journal.query(author=author) == [entry for entry in kept if entry.author == author]
        for address in addresses[:-1]:
            assert await journal.query(address) == [entry for entry in kept if entry.address == address]
