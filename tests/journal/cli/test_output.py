"""Formats: for machines in a pipe, for people on a terminal."""

import csv
import io
import json

import pytest

from tests.journal.cli import evening
from tests.journal.cli.evening import FILE, lines
from tests.journal.cli.tool import run, run_all, run_on_terminal

ESCAPE = "\x1b["
LAST = ("-n", "3", "-q", "--db", FILE)


async def test_every_format_says_the_same(recorded):
    """JSON lines, one JSON array, CSV and TSV carry the same records; raw carries the values alone."""
    call = ("query", "/lights/**", "-U", "2025-11-21T20:00:30", *LAST)
    jsonl, array, table, tabs, raw = await run_all(
        recorded, *((*call, "-o", output) for output in ("jsonl", "json", "csv", "tsv", "raw"))
    )
    records = lines(jsonl.out)
    assert json.loads(array.out) == records
    keys = ["seq", "timestamp", "time", "op", "signal", "address", "value", "revision", "author"]
    texts = [[str(record[key]) for key in keys] for record in records]
    assert list(csv.reader(io.StringIO(table.out))) == [keys, *texts]
    assert [line.split("\t") for line in tabs.out.splitlines()] == [keys, *texts]
    assert raw.out.splitlines() == [str(record["value"]) for record in records]


async def test_a_template_writes_one_line_per_record(recorded):
    """Each letter stands for a part of the record; what is not there is empty."""
    result = await run(
        recorded, "query", *LAST, "--op", "publish", "--op", "mark", "--format", r"%s\t%o %g %a %j|%v|%w %r%%"
    )
    last = len(evening.entries())
    assert result.out.splitlines() == [
        f"{last - 4}\tpublish stream /meters/main [58, 0.5]|[58, 0.5]|session-b %",
        f"{last - 2}\tpublish event /cue/go null||session-c %",
        f"{last - 1}\tmark   null||session-c %",
    ]


async def test_empty_results_have_the_form_of_their_format(recorded):
    """An array stays an array and CSV keeps its first line; a table of nothing is nothing."""
    call = ("query", "/none", "-q", "--db", FILE)
    array, table, comma = await run_all(recorded, *((*call, "-o", o) for o in ("json", "table", "csv")))
    assert (json.loads(array.out), table.out) == ([], "")
    assert comma.out == "seq,timestamp,time,op,signal,address,value,revision,author\n"


async def test_a_terminal_gets_a_table_and_a_pipe_json_lines(recorded):
    """With colours on the one, and not a single escape sequence in the other."""
    shown = await run_on_terminal(recorded, "query", *LAST)
    piped = await run(recorded, "query", *LAST)
    assert (shown.code, piped.code) == (0, 0)
    assert ESCAPE in shown.out
    assert "ADDRESS" in shown.out
    assert ESCAPE not in piped.out
    assert len(lines(piped.out)) == 3


@pytest.mark.parametrize(
    "verb", [("query",), ("state",), ("history", "/lights/1/level"), ("who",), ("stats",)]
)
async def test_no_color_means_no_escape_sequence(recorded, verb):
    """`NO_COLOR` leaves plain text on a terminal, for every kind of table."""
    plain = await run_on_terminal(recorded, *verb, "-q", "--db", FILE, NO_COLOR="1")
    assert plain.code == 0
    assert plain.out.strip()
    assert ESCAPE not in plain.out


async def test_a_narrow_terminal_leaves_out_columns_before_it_cuts(recorded):
    """No line is longer than the terminal is wide, and times stay whole."""
    narrow = await run_on_terminal(recorded, "query", *LAST, columns=70, NO_COLOR="1")
    rows = narrow.out.splitlines()
    assert len(rows) == 4
    assert all(len(row) <= 70 for row in rows)
    assert "SIGNAL" not in rows[0]
    assert "2025-11-21 20:01:03.000" in rows[1]


async def test_a_terminal_shows_curves_and_trees(recorded):
    """`history` ends with a curve, `state --tree` has coloured branches."""
    curve = await run_on_terminal(recorded, "history", "/lights/1/level", "-q", "--db", FILE)
    tree = await run_on_terminal(recorded, "state", "--tree", "-q", "--db", FILE)
    assert "▁" in curve.out
    assert "█" in curve.out
    assert "└── " in tree.out
    assert ESCAPE in tree.out


async def test_times_are_those_of_the_chosen_zone(recorded):
    """In results and in questions alike."""
    vienna, utc = await run_all(
        recorded,
        ("query", "-S", "2025-11-21 21:01:05", "--tz", "Europe/Vienna", "-q", "--db", FILE),
        ("query", "-S", "2025-11-21 20:01:05", "--utc", "-q", "--db", FILE),
    )
    [there], [here] = lines(vienna.out), lines(utc.out)
    assert there["time"] == "2025-11-21T21:01:05.000000+01:00"
    assert here["time"] == "2025-11-21T20:01:05.000000+00:00"
    assert there["seq"] == here["seq"]
