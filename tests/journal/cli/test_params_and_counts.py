"""state, get, who, top, stats and marks on a file."""

import pytest

from clasp_journal.cli.exits import Exit
from tests.journal.cli import evening
from tests.journal.cli.evening import FILE, at, lines
from tests.journal.cli.tool import run, run_all

ALL = evening.entries()


async def test_state_is_every_param_as_it_was(recorded):
    """Now, at a time, at a mark, at a number; an expired param is there until it expires."""
    moments = ("now", "mark:doors-open", "2025-11-21T20:00:20.75", "seq:1", "2025-11-21T19:59:59")
    results = await run_all(recorded, *(("state", "--at", moment, "--db", FILE) for moment in moments))
    found = [{r["address"]: (r["value"], r["revision"]) for r in lines(result.out)} for result in results]
    fader, steady = "/lights/1/level", "/lights/2/level"
    assert found == [
        {fader: (59 / 60, 60)},
        {fader: (59 / 60, 60), steady: ("steady", 3)},
        {fader: (20 / 60, 21), steady: ("steady", 2)},
        {fader: (0.0, 1)},
        {},
    ]
    assert lines(results[0].out)[0]["author"] == "session-a"
    assert lines(results[0].out)[0]["time"] == "2025-11-21T20:00:59.000000+00:00"


async def test_state_narrows_and_draws_a_tree(recorded):
    """Patterns and exclusions choose; `--tree` shows the segments as branches."""
    chosen, tree, nothing = await run_all(
        recorded,
        ("state", "/lights/**", "-x", "/*/2/*", "--at", "mark:doors-open", "--db", FILE, "-o", "raw"),
        ("state", "--at", "mark:doors-open", "--tree", "--db", FILE),
        ("state", "/none", "--tree", "--db", FILE, "--exit-empty"),
    )
    assert chosen.out == f"{59 / 60}\n"
    assert tree.out.splitlines() == [
        "/",
        "└── lights",
        "    ├── 1",
        f"    │   └── level  {59 / 60}",
        "    └── 2",
        '        └── level  "steady"',
    ]
    assert (nothing.code, nothing.out) == (Exit.NOTHING, "")


async def test_get_is_one_value_or_a_plain_no(recorded):
    """Text is printed as it is; an address without a value is a sentence, and code 1 if that is asked for."""
    then, gone, asked, pattern, word = await run_all(
        recorded,
        ("get", "/lights/2/level", "--at", "2025-11-21T20:01", "-o", "raw", "--db", FILE),
        ("get", "/lights/2/level", "-q", "--db", FILE),
        ("get", "/lights/2/level", "--exit-empty", "-q", "--db", FILE),
        ("get", "/lights/*", "-q", "--db", FILE),
        ("get", "level", "-q", "--db", FILE),
    )
    assert then.out == "steady\n"
    assert (gone.code, asked.code) == (Exit.OK, Exit.NOTHING)
    assert (gone.out, gone.err) == (asked.out, asked.err) == ("", "/lights/2/level has no value\n")
    assert pattern.code == word.code == Exit.USAGE
    assert "address must start with '/'" in word.err


async def test_who_counts_the_messages_of_each_author(recorded):
    """By entries; with names, and the first and last time."""
    result = await run(recorded, "who", "--db", FILE)
    found = {record["author"]: record for record in lines(result.out)}
    assert list(found) == ["session-a", "session-b", "session-c"]
    assert found["session-a"] == {
        "author": "session-a",
        "names": ["desk"],
        "entries": 60,
        "sets": 60,
        "publishes": 0,
        "addresses": 1,
        "first_timestamp": at(0),
        "last_timestamp": at(59),
        "first": "2025-11-21T20:00:00.000000+00:00",
        "last": "2025-11-21T20:00:59.000000+00:00",
    }
    assert [found["session-c"][key] for key in ("sets", "publishes", "addresses")] == [3, 1, 2]


@pytest.mark.parametrize(
    ("by", "first"),
    [("count", "/lights/1/level"), ("bytes", "/meters/main"), ("rate", "/cue/go")],
)
async def test_top_names_the_busiest_addresses(recorded, by, first):
    """By messages, by bytes, or by the busiest second, where a tie goes to the first by name."""
    result = await run(recorded, "top", "--by", by, "-n", "2", "--db", FILE)
    records = lines(result.out)
    assert len(records) == 2
    assert records[0]["address"] == first
    assert records[0][by] >= records[1][by]


async def test_stats_tell_the_extent_of_the_file(recorded):
    """Numbers, times, epoch and size; in a table one fact per line."""
    plain, table = await run_all(
        recorded, ("stats", "--db", FILE), ("stats", "--db", FILE, "-o", "table", "-q")
    )
    [facts] = lines(plain.out)
    assert (facts["oldest_seq"], facts["latest_seq"], facts["entries"]) == (1, len(ALL), len(ALL))
    assert (facts["oldest_us"], facts["latest_us"]) == (at(0), at(65))
    assert facts["size_bytes"] == (recorded / FILE).stat().st_size
    assert f"entries     {len(ALL)}" in table.out.splitlines()


async def test_stats_tell_when_the_disk_is_full(recorded):
    """At the rate of the last day: with the room that is left, which only the disk of a file has."""
    told, remote, shown = await run_all(
        recorded,
        ("stats", "--forecast", "--db", FILE),
        ("stats", "--forecast", "--url", "ws://127.0.0.1:1"),
        ("stats", "--forecast", "--db", FILE, "-o", "table", "-q"),
    )
    [facts] = lines(told.out)
    per_day = facts["entries_per_day"]
    assert per_day == round((len(ALL) - 1) / 65 * 86_400)
    assert facts["bytes_per_day"] == pytest.approx(per_day * facts["size_bytes"] / len(ALL), rel=0.001)
    assert facts["free_bytes"] > 0
    assert "full_at" in facts
    assert (remote.code, "--db FILE" in remote.err) == (Exit.USAGE, True)
    assert any(line.startswith("full_at") for line in shown.out.splitlines())


async def test_marks_are_listed_with_what_was_said(recorded):
    """Name, time, author and message."""
    result = await run(recorded, "marks", "--db", FILE)
    [mark] = lines(result.out)
    assert (mark["mark"], mark["message"], mark["timestamp"]) == ("doors-open", "at last", at(64))
