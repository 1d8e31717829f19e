"""query, around, history and since on a file: what they show, and how they say no."""

import json

import pytest

from clasp_journal.cli.exits import Exit
from tests.journal.cli import evening
from tests.journal.cli.evening import FILE, at, lines
from tests.journal.cli.tool import run, run_all

ALL = evening.entries()


def seqs(result):
    """The numbers of the entries that were printed."""
    assert result.code == 0, result.err
    return [record["seq"] for record in lines(result.out)]


def expected(test):
    """The numbers of the entries of the evening that pass a test."""
    return [seq for seq, entry in enumerate(ALL, start=1) if test(entry)]


async def test_query_shows_the_newest_entries_oldest_first(recorded):
    """100 of them where nothing is said, else as many as are asked for, in either order, with `all` all."""
    results = await run_all(
        recorded,
        ("query", "--db", FILE),
        ("query", "--db", FILE, "-n", "3"),
        ("query", "--db", FILE, "-n", "3", "-r"),
        ("query", "--db", FILE, "-n", "all"),
        ("query", "--db", FILE, "-n", "all", "-r"),
        ("query", "--db", FILE, "-n", "0"),
    )
    every = list(range(1, len(ALL) + 1))
    wanted = [every[-100:], every[-3:], every[-3:][::-1], every, every[::-1], []]
    assert [seqs(result) for result in results] == wanted
    assert all(result.err == f"journal: {FILE} (--db)\n" for result in results)


async def test_query_narrows_by_everything_that_can_be_said(recorded):
    """Patterns, exclusions, types, ops, authors, comparisons and times all have to hold."""
    calls = {
        ("/lights/**",): lambda e: e.address.startswith("/lights/"),
        ("/lights/2/*", "/cue/**"): lambda e: e.address in ("/lights/2/level", "/cue/go"),
        ("-x", "/lights/**", "-x", "/meters/*"): lambda e: e.address in ("/cue/go", ""),
        ("--type", "stream"): lambda e: e.signal_type == 2,
        ("--op", "mark", "--op", "expire"): lambda e: e.kind in (0xE1, 0xE0),
        ("--author", "desk"): lambda e: e.author == "session-a",
        ("--author", "session-c", "/lights/**"): lambda e: (
            e.author == "session-c" and e.address != "/cue/go" and e.address
        ),
        ("--where", "value > 0.9", "--where", "revision < 59"): lambda e: (
            e.author == "session-a" and e.value > 0.9 and e.revision < 59
        ),
        ("--where", "value == steady"): lambda e: e.value == "steady",
        ("--changed", "/lights/2/level"): lambda e: (
            e.address == "/lights/2/level" and (e.revision == 1 or e.kind == 0xE0)
        ),
        ("-S", "2025-11-21 20:00:30", "-U", "2025-11-21T20:00:40Z"): lambda e: (
            at(30) <= e.timestamp <= at(40)
        ),
        ("-S", "seq:5", "-U", "seq:7"): lambda e: 5 <= ALL.index(e) + 1 <= 7,
        ("-S", "mark:doors-open"): lambda e: e.timestamp >= at(64),
    }
    results = await run_all(recorded, *(("query", "-q", "--db", FILE, "-n", "all", *call) for call in calls))
    found = dict(zip(calls, map(seqs, results), strict=True))
    assert found == {call: expected(test) for call, test in calls.items()}


async def test_query_counts_what_matches_after_every_test(recorded):
    """`-n` is the number of lines, however rare what is looked for."""
    results = await run_all(
        recorded,
        ("query", "-q", "--db", FILE, "-n", "2", "--where", "value == steady"),
        ("query", "-q", "--db", FILE, "-n", "2", "--changed", "/lights/2/*", "/cue/*"),
    )
    steady = expected(lambda e: e.value == "steady")
    assert [seqs(result) for result in results] == [steady[-2:], [len(ALL) - 2, len(ALL)]]


async def test_nothing_is_no_error_unless_it_is_asked_to_be_one(recorded):
    """An empty result is code 0, with `--exit-empty` code 1, and never a word on stdout."""
    verbs = (("query",), ("around", "2025-11-21T23:00"), ("history",), ("who",), ("top",), ("state",))
    calls = [(*verb, "/nothing/here", "-q", "--db", FILE) for verb in verbs]
    calm = await run_all(recorded, *calls)
    strict = await run_all(recorded, *((*call, "--exit-empty") for call in calls))
    assert [(result.code, result.out, result.err) for result in calm] == [(0, "", "")] * len(calls)
    assert [(result.code, result.out, result.err) for result in strict] == [(1, "", "")] * len(calls)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("query", "lights"), "pattern must start with '/'"),
        (("query", "-S", "21h03"), "'21h03' is no time; examples: 21:03"),
        (("query", "-S", "mark:dors-open"), "there is no mark 'dors-open'; near it are doors-open"),
        (("query", "--where", "value"), "is no comparison; examples: 'value > 0.9'"),
        (("query", "--where", "value >< 1"), "is no comparison; examples: 'value > 0.9'"),
        (("query", "--where", "colour == 1"), "colour cannot be compared; there are value, revision"),
        (("query", "--op", "sett"), "--op 'sett': there are publish, set, expire"),
        (("query", "--type", "noise"), "--type 'noise': there are param, event"),
        (("query", "-n", "many"), "'many' is no number of entries; examples: 20, all"),
        (("query", "--tz", "Mars/North"), "there is no time zone 'Mars/North'"),
        (("query", "--utc", "--tz", "UTC"), "--utc and --tz name two zones"),
        (("query", "--format", "%q"), "%q means nothing"),
        (("query", "-o", "xml"), "'xml' is not one of"),
        (("around", "5min"), "'5min' is no time; examples: 21:03"),
        (("around", "20:00", "--span", "wide"), "'wide' is no span of time; examples: 90s"),
        (("history", "/lights/*"), "/lights/* is a pattern; this needs one address"),
        (("since",), "since which entry? give its number"),
        (("since", "-5"), "what begins with a dash is an option"),
        (("around", "-90s"), "as an argument write '90s ago' for -90s"),
        (
            ("query", "--sinc", "21:03"),
            "clasp-journal query: there is no option --sinc; the nearest is --since",
        ),
        (("state", "--at", "seq:99999"), "the journal ends with entry"),
        (("top", "--by", "mood"), "'mood' is not one of"),
        (("history",), "clasp-journal history: ADDRESS is missing (see clasp-journal history --help)"),
        (("get", "/a", "/b"), "unexpected extra argument"),
        (("since", "last"), "SEQ: 'last' is no number of an entry; an example: 81200"),
        (("query", "-n", "9" * 5_000), "is no number of entries"),
        (("query", "--where", "value > 1 and value < 2"), "several comparisons are several --where"),
        (("query", "-S", "2025-11-21", "-U", "2025-11-20"), "which is before --since"),
        (("compact", "--before", "3", "--keep", "1d"), "give one of --before and --keep"),
        (("marks", "--db", ""), "--db names no file"),
    ],
)
async def test_wrong_input_is_told_with_what_would_be_right(recorded, arguments, words):
    """Code 2, one clear line on stderr, nothing on stdout."""
    result = await run(recorded, *arguments, "-q", CLASP_JOURNAL_DB=FILE)
    assert (result.code, result.out) == (Exit.USAGE, "")
    assert result.err.startswith("clasp-journal")
    assert result.err.count("\n") == 1
    assert words in result.err


async def test_around_shows_both_sides_of_a_time(recorded):
    """Inclusive, as far as the span reaches; a number and a mark are times, too."""
    results = await run_all(
        recorded,
        ("around", "2025-11-21T20:00:30", "--span", "1s", "--db", FILE),
        ("around", "mark:doors-open", "--span", "1s", "--db", FILE),
        ("around", f"seq:{len(ALL)}", "--span", "500ms", "--db", FILE),
        ("around", "2025-11-21T20:00:30", "/lights/**", "--span", "2s", "--db", FILE, "-o", "table"),
    )
    *machine, table = results
    assert list(map(seqs, machine)) == [
        expected(lambda e: at(29) <= e.timestamp <= at(31)),
        expected(lambda e: at(63) <= e.timestamp <= at(65)),
        [len(ALL)],
    ]
    rows = table.out.splitlines()
    assert rows[0].split()[:3] == ["SEQ", "TIME", "OP"]
    assert [row for row in rows if row.startswith("--")] == ["-- 2025-11-21T20:00:30.000000+00:00 ± 2s"]
    assert "20:00:29.000" in rows[rows.index("-- 2025-11-21T20:00:30.000000+00:00 ± 2s") - 1]


async def test_history_is_the_course_of_one_address(recorded):
    """The newest entries of that address and no other; in a table with the curve of its numbers below."""
    plain, table = await run_all(
        recorded,
        ("history", "/lights/1/level", "-n", "3", "--db", FILE),
        ("history", "/lights/1/level", "-n", "8", "--db", FILE, "-o", "table"),
    )
    assert seqs(plain) == expected(lambda e: e.address == "/lights/1/level")[-3:]
    assert table.out.splitlines()[-1].startswith("-- ▁▂▃▄▅▆▇█  0.866667 to 0.983333 in 7s")


async def test_since_goes_on_where_its_cursor_stands(recorded, tmp_path):
    """Every entry once over any number of calls, and a cursor of another life is refused."""
    cursor = str(tmp_path / "cursor")
    first = await run(recorded, "since", str(len(ALL) - 2), "--cursor-file", cursor, "--db", FILE)
    assert seqs(first) == [len(ALL) - 1, len(ALL)]
    again = await run(recorded, "since", "--cursor-file", cursor, "--db", FILE, "--exit-empty")
    assert (again.code, again.out) == (Exit.NOTHING, "")
    (tmp_path / "cursor").write_text(json.dumps({"seq": 1, "epoch": "another"}))
    foreign = await run(recorded, "since", "--cursor-file", cursor, "--db", FILE)
    assert (foreign.code, foreign.out) == (Exit.INCOMPLETE, "")
    assert "another life" in foreign.err
    (tmp_path / "cursor").write_text("nonsense")
    broken = await run(recorded, "since", "--cursor-file", cursor, "--db", FILE)
    assert broken.code == Exit.USAGE
    assert "is no cursor file" in broken.err
