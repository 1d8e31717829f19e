"""Completion: a script for each shell, addresses from the journal, and silence when there is none."""

import asyncio
import shutil

import pytest

from clasp_journal.cli.main import VERBS
from tests.conftest import require_tool
from tests.journal.cli.tool import run, run_all


def asking(typed, **more):
    """What a shell sets when Tab is pressed behind these words."""
    words = ["clasp-journal", *typed.split(" ")]
    return {
        "_CLASP_JOURNAL_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    } | more


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("query --db evening.db /lights/", ["/lights/1/level", "/lights/2/level"]),
        ("get --db evening.db /cue", ["/cue/go"]),
        ("history --db evening.db /none", []),
        ("state --db missing.db /", []),
        ("sta", ["state", "stats"]),
    ],
)
async def test_tab_offers_what_the_journal_knows(recorded, typed, offered):
    """Addresses behind verbs that take them; errors are nobody's business then."""
    result = await run(recorded, **asking(typed))
    assert [line.partition(",")[2] for line in result.out.split()] == offered
    assert result.err == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
async def test_each_shell_gets_a_script_that_it_understands(tmp_path, shell):
    """The shell itself checks it, where it is installed."""
    result = await run(tmp_path, "completion", shell)
    assert result.code == 0
    assert "_CLASP_JOURNAL_COMPLETE" in result.out
    script = tmp_path / "script"
    script.write_text(result.out)
    if shell != "bash" and shutil.which(shell) is None:
        return
    program = require_tool(shell, f"apt-get install {shell}")
    checked = await run_program(program, "-n", str(script))
    assert checked == 0


async def run_program(program, *arguments):
    """Run something else than the tool; returns its exit code."""
    process = await asyncio.create_subprocess_exec(program, *arguments)
    return await process.wait()


async def test_every_verb_helps_with_examples(tmp_path):
    """`VERB --help` says what it does and shows how; the list of verbs knows each of them."""
    results = await run_all(tmp_path, *((name, "--help") for name in VERBS), ("--help",))
    listed = results.pop()
    for name, result in zip(VERBS, results, strict=True):
        assert result.code == 0, name
        assert f"clasp-journal {name}" in result.out.partition("\n\n")[2], name
        assert f"  {name}  " in listed.out
