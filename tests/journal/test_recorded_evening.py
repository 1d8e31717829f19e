"""A recorded evening: whatever is asked of it is answered as by somebody who looks at every entry."""

import asyncio
import json
import random

import pytest

from clasp_journal import HistoryIncomplete, Pattern, SqliteJournal, diff
from clasp_journal.analysis.activity import top, who
from clasp_journal.analysis.inquiry import Inquiry, entries
from clasp_journal.entry import EntryKind
from clasp_journal.travel import params_at, seq_at, state_at
from router.client import connect
from tests.interop.router_process import running_router
from tests.journal.cli.tool import PATIENCE_S, run, run_all
from tests.journal.show import BEGAN_US, HOURS_US, PATTERNS, Model, Param, make_show, matches

FILE = "journal.db"
SIZES = [
    pytest.param((20_000, 25), id="20k"),
    pytest.param((200_000, 200), id="200k", marks=pytest.mark.soak),
]


class Evening:
    """The show in a file, what is known of it, and the questions."""

    def __init__(self, folder, count, questions):
        self.folder = folder
        self.questions = questions
        self.model = Model(make_show(count, seed=count))
        self.rng = random.Random(count)

    async def write(self):
        """As a router does: in batches, with a snapshot now and then."""
        show = self.model.show
        async with SqliteJournal(self.folder / FILE) as journal:
            for begin in range(0, len(show), 1_000):
                await journal.append(show[begin : begin + 1_000])
                if begin % 7_000 == 0:
                    await journal.snapshot_by_fold()

    def instants(self):
        """Some of any time, some exactly at an entry."""
        for number in range(self.questions):
            yield self.instant(exact=number % 3 == 0)

    def instant(self, *, exact=False):
        """One of them."""
        if exact:
            return self.rng.choice(self.model.show).timestamp
        return BEGAN_US + self.rng.randrange(HOURS_US)

    def spans(self):
        """A pattern and two instants."""
        for at_us in self.instants():
            yield self.rng.choice(PATTERNS), *sorted((at_us, self.instant()))


@pytest.fixture(scope="module", params=SIZES)
def evening(request, tmp_path_factory):
    """The evening, written once for all tests that only read it."""
    made = Evening(tmp_path_factory.mktemp("show"), *request.param)
    asyncio.run(made.write())
    return made


def known(params):
    """Params as the model has them."""
    return {p.address: Param(p.encoded, p.revision, p.writer, p.timestamp, p.ttl) for p in params}


def inquiry(pattern, from_us, to_us):
    """The question for a pattern between two instants."""
    return Inquiry((Pattern.parse(pattern),), from_us=from_us, to_us=to_us)


async def test_the_state_at_any_instant_is_the_true_one(evening):
    """For any pattern; value, revision, writer, time and TTL of every param."""
    async with SqliteJournal(evening.folder / FILE, read_only=True) as journal:
        for number, at_us in enumerate(evening.instants()):
            pattern, seq = evening.rng.choice(PATTERNS), evening.model.place(at_us)
            assert await seq_at(journal, at_us) == seq
            if number % 4:
                found, pattern = (await state_at(journal, at_us)).live.values(), "/**"
            else:
                found = await params_at(journal, seq, [Pattern.parse(pattern)])
            assert known(found) == evening.model.state(seq, pattern)


async def test_the_difference_between_any_instants_is_the_true_one(evening):
    """What is new, gone, or has another value."""
    async with SqliteJournal(evening.folder / FILE, read_only=True) as journal:
        for pattern, first_us, second_us in evening.spans():
            before, after = await state_at(journal, first_us), await state_at(journal, second_us)
            found = [
                (c.address, c.before and c.before.encoded, c.after and c.after.encoded)
                for c in diff(before, after)
                if matches(pattern, c.address)
            ]
            places = evening.model.place(first_us), evening.model.place(second_us)
            assert found == evening.model.diff(*places, pattern)


async def test_queries_find_exactly_what_happened(evening):
    """All of it, in order, and who did it, and where most of it was."""
    async with SqliteJournal(evening.folder / FILE, read_only=True) as journal:
        for pattern, from_us, to_us in evening.spans():
            asked = inquiry(pattern, from_us, to_us)
            assert [e async for e in entries(journal, asked)] == evening.model.entries(
                pattern, from_us, to_us
            )
            people = [
                (p.author, p.entries, p.sets, p.publishes, p.addresses) for p in await who(journal, asked)
            ]
            assert people == evening.model.who(pattern, from_us, to_us)
            busy = [(t.address, t.entries, t.size_bytes, t.peak_per_s) for t in await top(journal, asked)]
            assert busy == evening.model.top(pattern, from_us, to_us)


async def test_the_tool_says_the_same(evening):
    """For a few instants, as a process."""

    def lines(result):
        assert result.code == 0, result.err
        return [json.loads(line) for line in result.out.splitlines()]

    pattern, first_us, second_us = "/lights/**", *sorted((evening.instant(), evening.instant()))
    span = (pattern, "-S", str(first_us), "-U", str(second_us), "-q", "--db", FILE)
    state, changes, found, people, busy = await run_all(
        evening.folder,
        ("state", pattern, "--at", str(first_us), "-q", "--db", FILE),
        ("diff", str(first_us), str(second_us), pattern, "-q", "--db", FILE),
        ("query", "-n", "all", *span),
        ("who", *span),
        ("top", "-n", "1000", *span),
    )
    model, first, second = evening.model, *map(evening.model.place, (first_us, second_us))
    assert {p["address"]: p["revision"] for p in lines(state)} == {
        address: param.revision for address, param in model.state(first, pattern).items()
    }
    assert [c["address"] for c in lines(changes)] == [c[0] for c in model.diff(first, second, pattern)]
    assert [e["seq"] for e in lines(found)] == [e.seq for e in model.entries(pattern, first_us, second_us)]
    assert [(p["author"], p["entries"]) for p in lines(people)] == [
        row[:2] for row in model.who(pattern, first_us, second_us)
    ]
    assert [(t["address"], t["count"], t["bytes"]) for t in lines(busy)] == [
        row[:3] for row in model.top(pattern, first_us, second_us)
    ]


async def test_what_remains_after_compaction_is_still_true(evening, tmp_path):
    """The state at every instant that is covered; one that is not is refused, never guessed."""
    cut = len(evening.model.show) // 3
    async with SqliteJournal(evening.folder / FILE, read_only=True) as journal:
        await journal.backup(str(tmp_path / FILE))
    async with SqliteJournal(tmp_path / FILE) as journal:
        await journal.compact(cut)
        told = {True: 0, False: 0}
        for at_us in evening.instants():
            seq = evening.model.place(at_us)
            try:
                assert known((await state_at(journal, at_us)).live.values()) == evening.model.state(seq)
            except HistoryIncomplete:
                assert seq < cut
            told[seq >= cut] += 1
        assert min(told.values()) > 0
        assert (await journal.verify()).problems == []


async def test_undo_brings_a_subtree_back(evening, tmp_path):
    """Through a router, with entries of its own, and nothing else changes."""
    at_us = BEGAN_US + HOURS_US // 3
    async with SqliteJournal(evening.folder / FILE, read_only=True) as journal:
        await journal.backup(str(tmp_path / FILE))
    model, head = evening.model, len(evening.model.show)
    then, now = model.state(model.place(at_us)), model.state(head)
    async with running_router(tmp_path) as router:
        done = await run(
            tmp_path, "undo", "/lights/**", "--to", str(at_us), "--yes", "-q", "--url", router.url
        )
        assert done.code == 0, done.err
        changed = [c for c in model.diff(model.place(at_us), head, "/lights/**") if c[1] is not None]
        assert f"{len(changed):,} SETs sent" in done.err
        async with connect(router.url) as client:
            after = {a: p.encoded for a, p in (await client.snapshot()).items()}
    expected = {a: p.encoded for a, p in now.items() if not a.startswith("/flash/")}
    expected |= {a: p.encoded for a, p in then.items() if a.startswith("/lights/")}
    assert {a: encoded for a, encoded in after.items() if not a.startswith("/flash/")} == expected
    async with SqliteJournal(tmp_path / FILE, read_only=True) as journal:
        own = [e for e in await journal.since(head) if e.kind is EntryKind.SET]
        assert [(e.address, e.encoded) for e in own] == [(c[0], c[1]) for c in changed]
        assert [e.revision for e in own] == [now[c[0]].revision + 1 for c in changed]


async def test_a_replay_gives_the_same_final_state(evening, tmp_path):
    """At full speed, into a router that has nothing; what was to expire expires there."""
    final = {a: p.encoded for a, p in evening.model.state(len(evening.model.show)).items()}
    async with running_router(tmp_path) as router:
        played = await run(evening.folder, "replay", "--to", router.url, "--speed", "max", "-q", "--db", FILE)
        assert played.code == 0, played.err
        async with connect(router.url) as client:
            async with asyncio.timeout(PATIENCE_S):
                while await client.snapshot("/flash/**"):  # noqa: ASYNC110 an expiry is told to nobody
                    await asyncio.sleep(0.05)  # paced: it is asked for
            found = {a: p.encoded for a, p in (await client.snapshot()).items()}
    assert found == {a: encoded for a, encoded in final.items() if not a.startswith("/flash/")}
