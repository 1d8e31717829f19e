"""view list, rebuild and show: what is kept, and what is true now."""

import pytest

from clasp_journal.cli.exits import Exit
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.views import SHIPPED
from tests.interop.router_process import running_router
from tests.journal.cli.evening import BEGAN_US, FILE, at, entries, lines, write
from tests.journal.cli.tool import run, run_all
from tests.journal.views.making import dump

ALL = entries()
FADER = "/lights/1/level"


@pytest.fixture
async def evening(tmp_path):
    """A folder with the evening in a file of its own."""
    await write(tmp_path)
    return tmp_path


def view(*arguments):
    """A call about the views of the evening."""
    return ("view", *arguments, "--db", FILE)


async def test_views_are_kept_when_they_are_built(evening):
    """`list` says which, and how far behind; built again they are the same."""
    before = await run(evening, *view("list"))
    assert {each["view"]: each["kept"] for each in lines(before.out)} == dict.fromkeys(SHIPPED, "no")
    one = await run(evening, *view("rebuild", "kinds"))
    assert lines(one.out) == [{"view": "kinds", "from_seq": 1, "seq": len(ALL)}]
    both = [await run(evening, *view("rebuild")) and dump(evening / FILE) for _ in range(2)]
    assert both[0] == both[1]
    async with SqliteJournal(evening / FILE) as journal:
        await journal.append(ALL[:3])
    after = await run(evening, *view("list", "-o", "table"))
    assert all(line.split()[-4:] == ["yes", "1", "96", "3"] for line in after.out.splitlines()[1:])


async def test_what_is_shown_is_up_to_date(evening):
    """Nothing kept, all kept, or kept and behind: the answer is of now, the same in each case."""
    names = ("authors", "buckets", "params")
    calls = [view("show", name) for name in names]
    fresh = await run_all(evening, *calls)
    await run(evening, *view("rebuild"))
    kept = await run_all(evening, *calls)
    assert [each.out for each in kept] == [each.out for each in fresh]
    async with SqliteJournal(evening / FILE) as journal:
        await journal.append([entry._replace(timestamp=entry.timestamp + 1) for entry in ALL])
        behind = await run_all(evening, *calls)
    await run(evening, *view("rebuild"))
    assert [each.out for each in await run_all(evening, *calls)] == [each.out for each in behind]
    assert [each.code for each in behind] == [0] * len(names)


async def test_each_view_shows_what_it_counts(evening):
    """The same words and numbers as the verbs that count; for plots, minutes."""
    authors, who, addresses, buckets, kinds, params, state = await run_all(
        evening,
        view("show", "authors"),
        ("who", "--db", FILE),
        view("show", "addresses", "/lights/**"),
        view("show", "buckets", FADER),
        view("show", "kinds"),
        view("show", "params"),
        ("state", "--db", FILE),
    )
    assert sorted(lines(authors.out), key=lambda each: -each["entries"]) == lines(who.out)
    assert [each["address"] for each in lines(addresses.out)] == [FADER, "/lights/2/level"]
    fader = lines(addresses.out)[0]
    assert (fader["count"], fader["sets"], fader["rate"], fader["last_timestamp"]) == (60, 60, 1, at(59))
    [minute] = lines(buckets.out)
    assert (minute["timestamp"], minute["time"]) == (BEGAN_US, "2025-11-21T20:00:00.000000+00:00")
    assert (minute["count"], minute["min"], minute["max"]) == (60, 0.0, 59 / 60)
    assert minute["mean"] == pytest.approx(29.5 / 60)
    counted = {each["op"]: each["entries"] for each in lines(kinds.out)}
    assert counted == {"publish": 31, "set": 63, "expire": 1, "mark": 1}
    assert lines(params.out) == lines(state.out)


async def test_counts_of_what_is_gone_are_not_lost_unasked(evening):
    """Building anew would count less: that asks for --yes. Who begins late says so."""
    await run(evening, *view("rebuild", "authors"))
    async with SqliteJournal(evening / FILE) as journal:
        await journal.compact(41)
    written = dump(evening / FILE)
    asked = await run(evening, *view("rebuild"))
    assert (asked.code, asked.out) == (Exit.REFUSED, "")
    assert "authors counts entries 1 to 40, which are gone" in asked.err
    assert dump(evening / FILE) == written
    shown, late = await run_all(evening, view("show", "authors"), view("show", "kinds"))
    assert sum(each["entries"] for each in lines(shown.out)) == 94
    assert "counted from entry 41 on" in late.err
    assert "counted from" not in shown.err
    done = await run(evening, *view("rebuild", "authors", "--yes"))
    assert lines(done.out) == [{"view": "authors", "from_seq": 41, "seq": 96}]


async def test_views_are_shown_beside_a_live_router(evening):
    """Its file can be shown, not built anew; the router itself can be asked as well."""
    (evening / FILE).rename(evening / "journal.db")
    beside = ("--db", "journal.db")
    async with running_router(evening) as router:
        through = ("--url", router.url)
        shown, asked, listed, refused, offline, params, state = await run_all(
            evening,
            ("view", "show", "addresses", *beside),
            ("view", "show", "addresses", *through),
            ("view", "list", *through),
            ("view", "rebuild", *beside),
            ("view", "rebuild", *through),
            ("view", "show", "params", *through),
            ("state", *beside),
        )
    assert (shown.code, asked.code, listed.code) == (0, 0, 0)
    assert lines(shown.out) == lines(asked.out)
    assert lines(params.out) == lines(state.out) != []
    assert [each["kept"] for each in lines(listed.out)] == ["no"] * len(SHIPPED)
    assert refused.code == Exit.UNREACHABLE
    assert router.url in refused.err
    assert offline.code == Exit.USAGE


@pytest.mark.parametrize(
    "arguments",
    [("show",), ("show", "nothing"), ("dance",), ("list", "kinds", "/a"), ("show", "authors", "/a"), ()],
)
async def test_what_cannot_be_done_is_said(evening, arguments):
    """Exit code 2, and what there is."""
    done = await run(evening, *view(*arguments))
    assert (done.code, done.out) == (Exit.USAGE, "")
    assert "Traceback" not in done.err


async def test_a_view_without_rows_can_be_exit_code_1(evening):
    """A pattern that matches no row, where that is asked for."""
    done = await run(evening, *view("show", "buckets", "/none", "--exit-empty"))
    assert (done.code, done.out) == (Exit.NOTHING, "")
