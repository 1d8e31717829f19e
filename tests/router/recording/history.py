"""Packets as the router makes them, entries as they should come out, and pages taken apart again."""

from typing import NamedTuple

from clasp_journal import value as values
from clasp_journal.entry import EntryKind, JournalEntry, SignalType
from router.core.session import Session
from router.recording.feed import Feed
from router.recording.requests import Page
from router.wire.codec import decode_binary, encode
from router.wire.frame import decode_frame, encode_frame
from router.wire.messages import Entries, Publish, Set
from router.wire.packing import pack, unpack


class NoOutbox:
    """A session that nobody writes to."""


def session(number, author="", name=""):
    """A session of this number."""
    made = Session(number, author or f"session-{number}", NoOutbox())
    made.name = name
    return made


def packed(message):
    """A message as the core records it."""
    return pack(encode_frame(encode(message)))


class Recorded(NamedTuple):
    """One thing that happened: an entry of the journal's own kind, or a message of a session."""

    what: Set | Publish | JournalEntry
    who: Session
    now: int


def packet(recorded):
    """The feed's packet of what happened."""
    feed = Feed()
    for what, who, now in recorded:
        if isinstance(what, JournalEntry):
            feed.add_entry(what)
        else:
            feed.add(who, (packed(what),), now)
    return feed.take()


def entry_of(recorded, seq=0):
    """The entry that something recorded has to become."""
    what, who, now = recorded
    if isinstance(what, JournalEntry):
        return what._replace(seq=seq)
    name = who.name or None
    if isinstance(what, Set):
        entry = JournalEntry(now, who.author, what.address, EntryKind.SET, SignalType.PARAM, what.encoded)
        return entry._replace(revision=what.revision, ttl=what.ttl, name=name, seq=seq)
    has_phase = what.signal == SignalType.GESTURE or what.phase
    return JournalEntry(
        now,
        who.author,
        what.address,
        EntryKind.PUBLISH,
        what.signal,
        what.encoded,
        seq=seq,
        samples=what.samples,
        rate=what.rate,
        gesture_id=what.gesture_id,
        phase=what.phase if has_phase else None,
        sent=what.timestamp,
        name=name,
    )


SOMEBODY = session(1, "somebody", "a name")


def sets(count, address="/a/{}", start=0, spread=10, now=1_000):
    """So many SETs in a row, over some addresses; the value tells the place in the row."""
    return [
        Recorded(
            Set(address.format(at % spread), values.encode(at), revision=at // spread + 1), SOMEBODY, now + at
        )
        for at in range(start, start + count)
    ]


def messages_of(page: Page):
    """What a plain page holds: time and message of each frame."""
    frames = [decode_frame(frame) for frame in unpack(page.blob)]
    return [(frame.timestamp, decode_binary(frame.payload)) for frame in frames]


def message_of(entry):
    """Time and message that an entry is replayed as."""
    if entry.kind == EntryKind.SET:
        return entry.timestamp, Set(entry.address, entry.encoded, entry.revision, ttl=entry.ttl)
    message = Publish(
        entry.address,
        entry.signal_type,
        entry.encoded,
        entry.samples,
        entry.sent,
        entry.gesture_id,
        entry.phase or 0,
        entry.rate,
    )
    return entry.timestamp, message


def entries_of(page: Page):
    """The ENTRIES messages of a page."""
    messages = [decode_binary(decode_frame(frame).payload) for frame in unpack(page.blob)]
    assert all(isinstance(message, Entries) for message in messages)
    return messages
