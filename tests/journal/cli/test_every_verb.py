"""Every verb, to a person and to a program: none is forgotten, none leaves a trace of how it was written."""

import asyncio
import shutil

from clasp_journal.cli.exits import Exit
from clasp_journal.cli.main import VERBS
from tests.journal.cli.evening import FILE, at
from tests.journal.cli.tool import run, run_on_terminal

NOW = "2025-11-21T20:00:30Z"
CALLS = {
    "query": ("/lights/**",),
    "since": ("90",),
    "around": (NOW,),
    "history": ("/lights/1/level",),
    "state": (),
    "get": ("/lights/1/level",),
    "marks": (),
    "who": (),
    "top": (),
    "stats": (),
    "diff": (NOW,),
    "mark": ("here",),
    "verify": (),
    "backup": ("copy.db",),
    "restore": ("--at", NOW, "--to", "then.db"),
    "snapshot": ("create",),
    "compact": ("--before", "5", "--yes"),
    "export": (),
    "import": ("evening.jsonl", "--yes"),
    "upgrade": (),
    "doctor": (),
    "view": ("show", "authors"),
}
ELSEWHERE = {"tail", "undo", "replay", "forget", "mirror", "completion"}
"""They end by Ctrl-C, need a router, have arguments of their own kind or print a script."""


async def both_ways(folder, verb, *arguments):
    """One call, shown on a terminal and written to a pipe, each with a file of its own."""
    results = []
    for name, way in (("shown", run_on_terminal), ("piped", run)):
        place = folder / verb / name
        place.mkdir(parents=True)
        for file in (FILE, "evening.jsonl"):
            shutil.copy(folder / file, place)
        results.append(await way(place, verb, *arguments, "-q", "--db", FILE))
    return results


async def test_every_verb_speaks_to_a_person_and_to_a_program(recorded, tmp_path):
    """On a terminal as a table, in a pipe as records; the same ending either way."""
    assert set(CALLS) == set(VERBS) - ELSEWHERE
    shutil.copy(recorded / FILE, tmp_path)
    exported = await run(tmp_path, "export", "-S", str(at(50)), "-O", "evening.jsonl", "--db", FILE)
    assert exported.code == Exit.OK
    pairs = await asyncio.gather(*(both_ways(tmp_path, verb, *given) for verb, given in CALLS.items()))
    for verb, (shown, piped) in zip(CALLS, pairs, strict=True):
        assert (shown.code, piped.code) == (Exit.OK, Exit.OK), (verb, shown, piped)
        assert "Traceback" not in shown.err + piped.err, verb
        assert piped.out.startswith("{"), verb
        assert verb == "export" or not shown.out.startswith("{"), verb
        assert shown.out.strip(), verb
        assert "\x1b" not in piped.out, verb
