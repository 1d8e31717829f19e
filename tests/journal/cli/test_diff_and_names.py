"""diff, mark and snapshot on a file: what they say, to a pipe and to a person, and what they refuse."""

import json
import shutil

from clasp_journal.cli.exits import Exit
from tests.journal.cli.evening import FILE, lines
from tests.journal.cli.tool import run, run_all, run_on_terminal

HERE = ("-q", "--db", FILE)


async def test_diff_names_what_is_new_gone_or_changed(recorded):
    """Between any two instants, in either direction, narrowed as anything else."""
    forth, back, left_out, nothing, differs, same, odd, bad = await run_all(
        recorded,
        *(
            ("diff", *call, *HERE)
            for call in (
                ("2025-11-21T20:00:10", "mark:doors-open"),
                ("2025-11-21T20:01:10", "seq:1"),
                ("seq:5", "now", "/lights/**", "-x", "/lights/1/*"),
                ("seq:90", "seq:90", "--exit-empty"),
                ("seq:90", "--exit-code"),
                ("2025-11-21T20:01:10", "now", "--exit-code"),
                ("half past nine",),
                ("seq:5", "now", "lights"),
            )
        ),
    )
    assert lines(forth.out) == [
        {
            "address": "/lights/1/level",
            "change": "changed",
            "before": 10 / 60,
            "after": 59 / 60,
            "timestamp": 1763755259000000,
            "time": "2025-11-21T20:00:59.000000+00:00",
            "author": "session-a",
        }
    ]
    assert [(record["address"], record["change"]) for record in lines(back.out)] == [
        ("/lights/1/level", "changed")
    ]
    assert lines(left_out.out) == [{"address": "/lights/2/level", "change": "gone", "before": "steady"}]
    assert (nothing.code, nothing.out) == (Exit.NOTHING, "")
    assert (differs.code, same.code) == (Exit.NOTHING, 0)
    assert differs.out != ""
    assert (odd.code, bad.code) == (Exit.USAGE, Exit.USAGE)
    assert "'half past nine' is no time; examples: 21:03" in odd.err


async def test_diff_is_a_table_on_a_terminal(recorded):
    """Before and after, beside each other."""
    shown = await run_on_terminal(recorded, "diff", "seq:5", *HERE)
    assert shown.code == 0
    assert "BEFORE" in shown.out
    assert "steady" in shown.out


async def test_a_mark_is_a_time(recorded, tmp_path):
    """It is made under the writer's lock, found by its name, and no message."""
    shutil.copy(recorded / FILE, tmp_path / FILE)
    made = await run(tmp_path, "mark", "act 2", "-m", "late", "--at", "seq:50", *HERE)
    assert made.code == 0
    [record] = lines(made.out)
    assert (record["mark"], record["seq"], record["time"][:19]) == ("act 2", 97, "2025-11-21T20:00:31")
    marks, state, place, again = await run_all(
        tmp_path,
        ("marks", *HERE),
        ("state", "--at", "mark:act 2", *HERE),
        ("state", "--at", "seq:50", *HERE),
        ("mark", "", *HERE),
    )
    assert [(mark["mark"], mark["message"]) for mark in lines(marks.out)][1] == ("act 2", "late")
    assert state.out == place.out != ""
    assert again.code == Exit.USAGE
    assert "is no name for an instant" in again.err


async def test_a_snapshot_is_made_listed_and_shown(recorded, tmp_path):
    """What it holds is the state at its entry; without one there is nothing to show."""
    shutil.copy(recorded / FILE, tmp_path / FILE)
    none, early = await run_all(
        tmp_path,
        ("snapshot", "list", "--exit-empty", *HERE),
        ("snapshot", "show", "--exit-empty", *HERE),
    )
    assert (none.code, early.code) == (Exit.NOTHING, Exit.NOTHING)
    made = await run(tmp_path, "snapshot", "create", *HERE)
    assert lines(made.out) == [{"seq": 96}]
    listed, shown, state, before, odd, twice = await run_all(
        tmp_path,
        ("snapshot", "list", *HERE),
        ("snapshot", "show", *HERE),
        ("state", *HERE),
        ("snapshot", "show", "seq:95", *HERE),
        ("snapshot", "burn", *HERE),
        ("snapshot", "list", "seq:3", *HERE),
    )
    assert [(each["seq"], each["params"]) for each in lines(listed.out)] == [(96, 2)]
    assert shown.out == state.out != ""
    assert before.out == ""
    assert [result.code for result in (odd, twice)] == [Exit.USAGE] * 2
    assert "'create', 'list', 'show'" in odd.err
    table = await run_on_terminal(tmp_path, "snapshot", "list", *HERE)
    assert "PARAMS" in table.out


async def test_facts_are_lines_on_a_terminal(recorded, tmp_path):
    """A person sees one fact per line, a program one record."""
    shutil.copy(recorded / FILE, tmp_path / FILE)
    shown = await run_on_terminal(tmp_path, "mark", "a", *HERE)
    assert "FACT" in shown.out
    piped = await run(tmp_path, "mark", "b", "-o", "json", *HERE)
    assert [record["seq"] for record in json.loads(piped.out)] == [98]
