"""Every verb, to a person and to a program: none is forgotten, none leaves a trace of how it was written."""

import asyncio
import shutil

from clasp_journal.cli.exits import Exit
from clasp_journal.cli.main import VERBS
from clasp_journal.sqlite import SqliteJournal
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


NO_TIME = "is no time; examples: 21:03"
NO_PATTERN = "pattern must start with '/'"
NO_ADDRESS = "address must start with '/'"
TOO_MUCH = "unexpected extra argument (extra)"
WRONG = {
    "query": (("lights",), NO_PATTERN),
    "tail": (("/a//b",), "pattern has an empty segment before its end: /a//b"),
    "since": (("soon",), "'soon' is no number of an entry"),
    "around": (("25:99",), "'25:99': no clock shows that"),
    "history": (("lights",), NO_ADDRESS),
    "state": (("--at", "someday"), NO_TIME),
    "get": (("lights",), NO_ADDRESS),
    "marks": (("extra",), TOO_MUCH),
    "who": (("-S", "never"), NO_TIME),
    "top": (("--by", "colour"), "'colour' is not one of 'count', 'bytes', 'rate'"),
    "stats": (("extra",), TOO_MUCH),
    "diff": (("someday",), NO_TIME),
    "mark": ((), "mark: NAME is missing"),
    "undo": (("/a/**",), "--to is missing"),
    "replay": (("--to", "http://127.0.0.1:1"), "is no URL of a router; an example: ws://127.0.0.1:7330"),
    "verify": (("extra",), TOO_MUCH),
    "backup": ((), "FILE is missing"),
    "restore": (("--to", "then.db"), "--at is missing"),
    "snapshot": (("forget",), "'forget' is not one of 'create', 'list', 'show'"),
    "compact": ((), "what is to go? give one of --before and --keep"),
    "export": (("-o", "xml"), "'xml' is not one of 'jsonl', 'json', 'csv'"),
    "import": ((), "FILE is missing"),
    "upgrade": (("extra",), TOO_MUCH),
    "doctor": (("extra",), TOO_MUCH),
    "view": (("show", "nothing"), "'nothing' is not one of 'params'"),
    "forget": ((), "AUTHOR is missing"),
    "mirror": (("mend", "show.jsonl"), "mend"),
    "completion": (("csh",), "'csh' is not one of 'bash', 'zsh', 'fish'"),
}
EMPTY = {
    "query": (),
    "since": ("0",),
    "around": ("now",),
    "history": ("/a",),
    "state": (),
    "get": ("/a",),
    "marks": (),
    "who": (),
    "top": (),
    "diff": ("60s ago",),
    "snapshot": ("list",),
}
"""The verbs that list what they find; the others tell a fact in any case."""


async def test_every_verb_says_what_is_wrong_with_its_words(recorded):
    """Exit code 2, nothing on stdout, the words that help; the file is as it was."""
    assert set(WRONG) == set(VERBS)
    before = (recorded / FILE).read_bytes()
    target = {verb: () if verb == "completion" else ("--db", FILE) for verb in WRONG}
    results = await asyncio.gather(
        *(run(recorded, verb, *given, *target[verb]) for verb, (given, _) in WRONG.items())
    )
    for (verb, (_, words)), result in zip(WRONG.items(), results, strict=True):
        assert (result.code, result.out) == (Exit.USAGE, ""), (verb, result)
        assert words in result.err, (verb, result)
        assert "Traceback" not in result.err, verb
    assert (recorded / FILE).read_bytes() == before


async def test_every_verb_that_finds_nothing_says_nothing(tmp_path):
    """Exit code 0 and an empty stdout, in a pipe and on a terminal; 1 where that is asked for."""
    async with SqliteJournal(tmp_path / FILE) as journal:
        await journal.open()
    target = ("-q", "--db", FILE)
    piped, asked, shown = await asyncio.gather(
        asyncio.gather(*(run(tmp_path, verb, *given, *target) for verb, given in EMPTY.items())),
        asyncio.gather(
            *(run(tmp_path, verb, *given, *target, "--exit-empty") for verb, given in EMPTY.items())
        ),
        asyncio.gather(*(run_on_terminal(tmp_path, verb, *given, *target) for verb, given in EMPTY.items())),
    )
    for verb, *results in zip(EMPTY, piped, asked, shown, strict=True):
        assert [result.code for result in results] == [Exit.OK, Exit.NOTHING, Exit.OK], (verb, results)
        assert not any(result.out for result in results), (verb, results)
