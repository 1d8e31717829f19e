"""Whatever is done to a journal in whatever order, it answers like a list that never forgets a number."""

import asyncio
import tempfile
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from clasp_journal.address import Pattern
from clasp_journal.entry import EntryKind, JournalEntry, SignalType
from clasp_journal.errors import HistoryIncomplete
from clasp_journal.forgetting import told_by
from clasp_journal.selection import MESSAGES, Selection
from clasp_journal.testing.samples import same_state, take
from tests.journal.backends import BACKENDS
from tests.journal.model import Model

T = TypeVar("T")
STEPS = 50

ADDRESSES = st.sampled_from(["/a", "/a/", "/a/b", "/a/b/c", "/A/b", "/a_b", "/zone1/x", "/zone2/x", "/b"])
PATTERNS = st.sampled_from(
    ["/**", "/a", "/a/*", "/a/**", "/**/b", "/**/c", "/zone*/x", "/*/x", "/*", "/a_b", "/none"]
)
TIMES = st.integers(0, 40)
AUTHORS = st.sampled_from(["", "desk", "lights"])
VALUES = st.sampled_from(
    [b"\x00", b"\x05" + bytes(7) + b"\x01", b"\x07" + bytes(8), b"\x02\xff", b"\x08\x00\x01x"]
)


def an_entry(kind: EntryKind, address: str, at: int, author: str, encoded: bytes) -> JournalEntry:
    """An entry of a kind, with what such an entry has."""
    if kind == EntryKind.SET:
        return JournalEntry(at, author, address, kind, SignalType.PARAM, encoded)
    if kind == EntryKind.PUBLISH:
        return JournalEntry(at, author, address, kind, SignalType.STREAM, encoded, name="desk")
    if kind == EntryKind.MARK:
        return JournalEntry(at, author, "", kind)
    return JournalEntry(at, author, address, kind)


ENTRIES = st.builds(
    an_entry,
    st.sampled_from([EntryKind.SET] * 4 + [EntryKind.PUBLISH] * 2 + [EntryKind.EXPIRE, EntryKind.MARK]),
    ADDRESSES,
    TIMES,
    AUTHORS,
    VALUES,
)
SELECTIONS = st.builds(
    Selection,
    PATTERNS.map(Pattern.parse),
    st.none() | TIMES,
    st.none() | TIMES,
    st.sampled_from([None, None, frozenset({SignalType.PARAM}), frozenset({SignalType.STREAM})]),
    st.none() | AUTHORS,
    st.sampled_from([None, None, MESSAGES, frozenset({0xE0, 0xE1})]),
)


class _Interrupted(Exception):
    """What an iterable raises in the middle of a batch."""


class JournalMachine(RuleBasedStateMachine):
    """Random steps on a journal and on the model. Each run has an event loop and a folder of its own."""

    backend_name: ClassVar[str]

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.backend = BACKENDS[self.backend_name](Path(self.folder.name))
        self.model = Model()
        self.journal = self.run(self.backend.make())
        self.epoch = self.journal.epoch

    def run(self, step: Coroutine[object, object, T]) -> T:
        """Do one step to its end."""
        return self.runner.run(step)

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.run(self.journal.close())
            self.runner.close()
            self.folder.cleanup()

    @rule(entries=st.lists(ENTRIES, max_size=12), synced=st.booleans())
    def append(self, entries: list[JournalEntry], synced: bool) -> None:
        given = entries[0] if len(entries) == 1 else iter(entries)
        assert self.run(self.journal.append(given, synced=synced)) == self.model.append(entries)

    @rule(entries=st.lists(ENTRIES, max_size=5))
    def append_in_vain(self, entries: list[JournalEntry]) -> None:
        def interrupted() -> Iterator[JournalEntry]:
            yield from entries
            raise _Interrupted

        with pytest.raises(_Interrupted):
            self.run(self.journal.append(interrupted()))

    @rule(
        selection=SELECTIONS,
        after_seq=st.just(0) | st.integers(0, 60),
        limit=st.none() | st.integers(0, 20),
        newest=st.booleans(),
    )
    def query(self, selection: Selection, after_seq: int, limit: int | None, newest: bool) -> None:
        async def found() -> list[JournalEntry]:
            return await self.journal.query(
                selection.pattern,
                selection.from_us,
                selection.to_us,
                limit,
                selection.types,
                author=selection.author,
                kinds=selection.kinds,
                after_seq=after_seq,
                newest=newest,
            )

        assert self.run(found()) == self.model.query(selection, after_seq, limit, newest)

    @rule(seq=st.integers(0, 80), pattern=PATTERNS)
    def follow_history(self, seq: int, pattern: str) -> None:
        wanted = self.model.query(Selection(Pattern.parse(pattern)), seq, None, False)

        async def followed() -> list[JournalEntry]:
            return await take(self.journal.tail(seq, pattern), len(wanted))

        assert self.run(followed()) == wanted

    @rule(back=st.integers(0, 12))
    def snapshot(self, back: int) -> None:
        at_seq = max(self.model.latest - back, self.model.oldest - 1)
        truth = self.model.state(at_seq)
        kept = self.journal.snapshot(truth.params(), at_seq, revision_floor=truth.revision_floor)
        assert self.run(kept) == at_seq
        self.model.snapshot(at_seq)

    @precondition(lambda self: self.model.snapshots)
    @rule()
    def load_the_newest_snapshot(self) -> None:
        newest = self.run(self.journal.load_snapshot())
        assert newest is not None
        assert newest.at_seq == max(self.model.snapshots)
        assert newest.params == self.model.state(newest.at_seq).params()

    @rule(back=st.integers(0, 40))
    def state(self, back: int) -> None:
        at_seq = max(0, self.model.latest - back)
        try:
            state = self.run(self.journal.state(at_seq))
        except HistoryIncomplete:
            assert not self.model.can_tell(at_seq), f"the state after {at_seq} must be known"
        else:
            assert same_state(state, self.model.state(at_seq))

    @rule(part=st.integers(0, 10), force=st.sampled_from([False] * 4 + [True]))
    def compact(self, part: int, force: bool) -> None:
        before_seq = self.model.oldest + (self.model.latest - self.model.gone) * part // 10
        try:
            removed = self.run(self.journal.compact(before_seq, force=force))
        except HistoryIncomplete:
            assert not force
            assert not self.model.can_compact(before_seq)
            return
        base = self.run(self.journal.load_snapshot(before_seq - 1))
        has_base = base is not None and base.at_seq == before_seq - 1
        assert has_base or force or not removed or not self.model.can_tell(before_seq - 1)
        assert removed == self.model.compact(before_seq, has_base=has_base)
        assert (self.journal.epoch != self.epoch) == (force and removed > 0)
        self.epoch = self.journal.epoch

    @rule(author=st.sampled_from(["desk", "desk", "lights", "nobody"]))
    def forget(self, author: str) -> None:
        doomed = self.model.doomed(author)
        assert self.run(self.journal.forget(author, by="admin")) == len(doomed)
        if doomed:
            (act,) = self.run(self._behind(self.model.latest))
            assert told_by(act) == (author, doomed[0].seq, doomed[-1].seq, len(doomed))
            self.model.forget(author, act)

    async def _behind(self, seq: int) -> list[JournalEntry]:
        return await self.journal.since(seq)

    @rule(selection=SELECTIONS, after_seq=st.integers(0, 60), upto_seq=st.integers(0, 80))
    def count(self, selection: Selection, after_seq: int, upto_seq: int) -> None:
        found = self.run(self.journal.count(selection, after_seq=after_seq, upto_seq=upto_seq))
        matching = self.model.query(selection, after_seq, None, False)
        assert found == sum(entry.seq <= upto_seq for entry in matching)

    @precondition(lambda self: self.backend.reopen)
    @rule()
    def reopen(self) -> None:
        assert self.backend.reopen is not None
        self.run(self.journal.close())
        self.journal = self.run(self.backend.reopen(self.journal))

    @invariant()
    def numbers_agree(self) -> None:
        async def numbers() -> tuple[int, int, int]:
            return (
                await self.journal.latest_seq(),
                await self.journal.oldest_seq(),
                await self.journal.len(),
            )

        model = self.model
        assert self.run(numbers()) == (model.latest, model.oldest, model.latest - model.gone)
        assert self.journal.epoch == self.epoch


def machine_for(backend_name: str) -> type[RuleBasedStateMachine]:
    """The machine, driving one backend."""
    return type(f"{backend_name.title()}Machine", (JournalMachine,), {"backend_name": backend_name})


@pytest.mark.property
@pytest.mark.parametrize("backend_name", BACKENDS)
def test_a_journal_answers_like_a_list(backend_name: str) -> None:
    """Some random steps at a time, on every backend."""
    profile = settings.default
    assert profile is not None
    # A run has fifty steps: where a profile asks for thousands of examples, steps are what is counted.
    runs = min(profile.max_examples, max(100, profile.max_examples // STEPS))
    run_state_machine_as_test(
        machine_for(backend_name),
        settings=settings(
            max_examples=runs,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
