"""Ctrl-C, whenever it is pressed: code 130, and not a word."""

import asyncio
import os
import signal
import sys

import pytest

from clasp_journal.cli.exits import Exit
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.testing.samples import a_series
from tests.journal.cli.evening import FILE
from tests.journal.cli.tool import PATIENCE_S, environment, start

MOMENTS = 8

BEGIN_AND_PRESS = """
import os, runpy, signal, sys
last = int(sys.argv.pop(1))
imports = 0

def press(event, arguments):
    global imports
    if event == "import" and (imports or arguments[0] == "clasp_journal.cli.main"):
        imports += 1
        if imports == last:
            os.kill(os.getpid(), signal.SIGINT)

sys.addaudithook(press)
try:
    runpy.run_module("clasp_journal", run_name="__main__", alter_sys=True)
finally:
    if not last:
        print(imports, file=sys.stderr)
"""
"""The tool, with Ctrl-C pressed at its n-th import; with 0 it is not, and the imports are counted."""

WRITE_AND_PRESS = """
import os, runpy, signal, sys
busy_s = float(sys.argv.pop(1))

def press_later(event, arguments):
    if event == "open" and ".part-" in str(arguments[0]):
        signal.setitimer(signal.ITIMER_VIRTUAL, busy_s)

signal.signal(signal.SIGVTALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
sys.addaudithook(press_later)
runpy.run_module("clasp_journal", run_name="__main__", alter_sys=True)
"""
"""The tool, with Ctrl-C pressed when it has computed for so long since it began to write a file."""


async def interrupted(folder, moment, *arguments, script=BEGIN_AND_PRESS):
    """How the tool ends, and what it writes, if it is interrupted at that import, or as the script says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script, str(moment), *arguments),
        cwd=folder,
        env=environment(folder),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize(
    "verb", [("query", "-q", "--db", FILE), ("stats", "-q", "--url", "ws://127.0.0.1:1")]
)
async def test_an_interrupt_while_the_tool_starts_is_code_130_and_silent(recorded, verb):
    """At any of its imports, from the first to the last."""
    _, _, counted = await interrupted(recorded, 0, *verb)
    imports = int(counted.split()[-1])
    assert imports > MOMENTS
    moments = [1 + (imports - 1) * n // (MOMENTS - 1) for n in range(MOMENTS)]
    ends = await asyncio.gather(*(interrupted(recorded, moment, *verb) for moment in moments))
    assert dict(zip(moments, ends, strict=True)) == dict.fromkeys(moments, (Exit.INTERRUPTED, "", ""))


async def test_an_interrupt_is_code_130_and_silent(recorded):
    """Ctrl-C ends a verb that would go on for ever."""
    process = await start(recorded, "tail", "-n", "1", "-q", "--db", FILE)
    async with asyncio.timeout(PATIENCE_S):
        await process.stdout.readline()
        os.kill(process.pid, signal.SIGINT)
        out, err = await process.communicate()
    assert (process.returncode, out, err) == (Exit.INTERRUPTED, b"", b"")


async def test_long_work_can_be_interrupted(tmp_path):
    """Ctrl-C ends it with 130 and without a word; no part of a file is left."""
    async with SqliteJournal(tmp_path / "long.db") as journal:
        await journal.append(a_series(20_000))
    verb = ("export", "-q", "-O", "out.jsonl", "--db", "long.db")
    for busy_s in (0.001, 0.02):
        ended = await interrupted(tmp_path, busy_s, *verb, script=WRITE_AND_PRESS)
        assert ended == (Exit.INTERRUPTED, "", "")
        assert not list(tmp_path.glob("out.jsonl*"))


async def test_who_starts_the_tool_without_interrupts_is_obeyed(recorded):
    """`nohup` and shells without job control do that: Ctrl-C is then meant for somebody else."""
    ignoring = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n" + BEGIN_AND_PRESS
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ignoring, "1", "marks", "-q", "--db", FILE),
        cwd=recorded,
        env=environment(recorded),
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_S):
        out, _ = await process.communicate()
    assert process.returncode == 0
    assert b"doors-open" in out
