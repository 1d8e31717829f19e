"""What the children append, and what must be found whenever somebody opens the file afterwards.

Laws: entry number n is made from n alone, so that every process knows what every entry has to be; the parent
trusts nothing but what the child told before it was stopped.
"""

import json
import random
import struct
from dataclasses import dataclass, field

from clasp_journal import value as values
from clasp_journal.entry import EntryKind, JournalEntry, Phase, SignalType
from clasp_journal.journal import Journal
from clasp_journal.restore import State, fold
from clasp_journal.value import Value

FIRST_US = 1_700_000_000_000_000
CLOCK_STEP_EVERY = 997
"""Every so many entries the clock is an hour behind for one entry."""


def entry_at(seq: int) -> JournalEntry:
    """The entry with this number, in every process and every run."""
    rng = random.Random(seq)
    address = f"/desk/{rng.randrange(8)}/fader{rng.randrange(6)}"
    behind_us = 0 if seq % CLOCK_STEP_EVERY else 3_600_000_000
    bare = JournalEntry(
        FIRST_US + seq * 700 - behind_us, f"s{rng.randrange(4)}", address, EntryKind.SET, seq=seq
    )
    draw = rng.random()
    if draw < 0.70:
        return _set(bare, rng)
    if draw < 0.75:
        return bare._replace(kind=EntryKind.EXPIRE, revision=seq)
    if draw < 0.77:
        return bare._replace(kind=EntryKind.MARK, address="", details=values.encode({"label": f"cue {seq}"}))
    return _publish(bare, rng)


def _set(bare: JournalEntry, rng: random.Random) -> JournalEntry:
    return bare._replace(
        signal_type=SignalType.PARAM,
        encoded=values.encode(_value(rng)),
        revision=bare.seq,
        ttl=rng.choice((None, None, None, 0, 60, 0x8000_003C)),
        name=rng.choice((None, "desk")),
    )


def _publish(bare: JournalEntry, rng: random.Random) -> JournalEntry:
    signal = rng.choice((SignalType.EVENT, SignalType.STREAM, SignalType.GESTURE, SignalType.TIMELINE))
    sent = bare._replace(
        kind=EntryKind.PUBLISH, signal_type=signal, sent=rng.choice((None, bare.timestamp - 9))
    )
    if signal is SignalType.STREAM:
        block = [rng.random() for _ in range(rng.randrange(1, 40))]
        return sent._replace(samples=struct.pack(f">{len(block)}d", *block), rate=44_100)
    if signal is SignalType.GESTURE:
        return sent._replace(
            gesture_id=rng.randrange(9), phase=rng.choice(tuple(Phase)), encoded=values.encode(_value(rng))
        )
    return sent._replace(encoded=rng.choice((None, values.encode(_value(rng)))))


def _value(rng: random.Random) -> Value:
    draw = rng.randrange(100)
    if draw == 0:
        return rng.randbytes(rng.randrange(4_000, 30_000))
    odd: list[Value] = [None, True, -0.0, float("nan"), float("-inf"), -(2**63), "", b"\x00\xff", "größer"]
    if draw < 20:
        return odd[draw % len(odd)]
    if draw < 30:
        return {"xyz": [rng.random(), rng.randrange(256)], "on": bool(draw % 2)}
    return rng.random() if draw < 70 else rng.randrange(-1_000, 1_000)


class Model:
    """The journal as it has to be, as far as anybody asks."""

    def __init__(self) -> None:
        self._entries: list[JournalEntry] = []

    def entries(self, first: int, last: int) -> list[JournalEntry]:
        """The entries from one number to another, both included."""
        while len(self._entries) < last:
            self._entries.append(entry_at(len(self._entries) + 1))
        return self._entries[first - 1 : last]

    def state(self, at_seq: int) -> State:
        """What all entries up to a number amount to."""
        return fold(None, self.entries(1, at_seq))


@dataclass
class History:
    """What a child has told: the acknowledged, the attempted, the rest that a judge must know."""

    epoch: str = ""
    acked: int = 0
    """The last number that an append returned."""
    synced: int = 0
    """The last number that an append with `synced` returned."""
    ends: set[int] = field(default_factory=lambda: {0})
    """Where the file may end: behind any attempted append, never within one."""
    cuts: set[int] = field(default_factory=lambda: {1})
    """The numbers below which somebody asked to remove."""

    def take(self, told: bytes | str) -> None:
        """Learn from one line of a child."""
        event = json.loads(told)
        did = event["did"]
        if did == "opened":
            self.epoch = event["epoch"]
        elif did == "appending":
            self.ends.add(event["last"])
        elif did == "appended":
            self.acked = max(self.acked, event["last"])
            if event["synced"]:
                self.synced = max(self.synced, event["last"])
        elif did == "compacting":
            self.cuts.add(event["before"])


async def check(journal: Journal, history: History, *, floor: int, model: Model, rng: random.Random) -> int:
    """Check what holds after any crash; up to `floor` all must have survived. Return the latest number."""
    latest, oldest = await journal.latest_seq(), await journal.oldest_seq()
    assert latest >= floor, f"entries {latest + 1} to {floor} were acknowledged and are lost"
    assert latest in history.ends, f"{latest} is within an append: all or none"
    assert 1 <= oldest <= min(latest + 1, max(history.cuts)), f"nobody removed what was before {oldest}"
    found = await journal.since(0)
    assert [entry.seq for entry in found] == list(range(oldest, latest + 1)), "a gap or a duplicate"
    for entry, expected in zip(found, model.entries(oldest, latest), strict=True):
        assert entry == expected
    assert await journal.len() == latest + 1 - oldest
    # Where a compaction was cut short, the states from its cut on can be told, and not those before it.
    told_from = min(cut for cut in history.cuts if cut >= oldest) - 1
    for at_seq in {told_from, rng.randint(told_from, latest), latest}:
        assert_same_state(await journal.state(at_seq), model.state(at_seq))
    snapshot = await journal.load_snapshot()
    if snapshot is not None:
        assert snapshot.at_seq <= latest, "a snapshot of what is not there"
        assert_same_state(State(snapshot.params, snapshot.revision_floor), model.state(snapshot.at_seq))
    return latest


def assert_same_state(found: State, expected: State) -> None:
    """Two states are the same to the bit, tombstones in the same order."""
    assert found.live == expected.live
    assert list(found.tombstones.values()) == list(expected.tombstones.values())
    assert found.revision_floor == expected.revision_floor
