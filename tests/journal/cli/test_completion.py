"""Completion: what is offered, and the three shells that offer it, each with Tab pressed on a terminal."""

import asyncio
import os
import pty
import shutil
import signal
import subprocess
import sys
import termios
from contextlib import contextmanager
from fcntl import ioctl

import pytest

from clasp_journal.cli.main import VERBS
from clasp_journal.sqlite.journal import SqliteJournal
from clasp_journal.testing.samples import was_set
from tests.conftest import require_tool
from tests.journal.cli.evening import FILE
from tests.journal.cli.tool import PATIENCE_S, environment, run, run_all

PROMPT = "READY> "
RUN_COMMANDS = {
    "bash": (f"PS1='{PROMPT}'\n", ("--rcfile", "rc", "-i")),
    "zsh": (f"PS1='{PROMPT}'\n", ("-d", "-i")),
    "fish": (f"function fish_prompt; echo -n '{PROMPT}'; end\n", ("-N", "-i", "-C", "source rc")),
}
"""What makes each shell show the prompt, and how it is started so that it reads the file `rc`."""

TOOL = """#!/bin/sh
test -n "$_CLASP_JOURNAL_LINE" && exec {python} -m clasp_journal
printf '\\nGOT<%s>\\n' "$*"
"""
"""The tool where a shell asks it; where it is called, it only says with what."""


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (f"query --db {FILE} /lights/", ["/lights/1/level", "/lights/2/level"]),
        (f"query --db {FILE} '/lights/", ["/lights/1/level", "/lights/2/level"]),
        (f"query --db {FILE} -x /lights/1", ["/lights/1/level"]),
        (f"get --db {FILE} /cue", ["/cue/go"]),
        (f"history --db {FILE} /none", []),
        (f"undo --db {FILE} /cu", ["/cue/go"]),
        ("state --db missing.db /", []),
        ("state --url ws://127.0.0.1:1 /", []),
        (f"state --db {FILE} --at ma", ["mark:doors-open"]),
        (f"query --db {FILE} -S mark:", ["mark:doors-open"]),
        (f"around --db {FILE} mark:do", ["mark:doors-open"]),
        (f"diff --db {FILE} mark:doors-open m", ["mark:doors-open"]),
        (f"diff --db {FILE} mark:doors-open /c", ["/cue/go"]),
        (f"restore --db {FILE} --at mark:x", []),
        (f"around --db {FILE} 21", []),
        ("sta", ["state", "stats"]),
        ("state --tr", ["--tree"]),
        ("query -o js", ["jsonl", "json"]),
        ("nonesuch ", []),
    ],
)
async def test_tab_offers_what_the_journal_knows(recorded, typed, offered):
    """Addresses and marks behind verbs that take them; errors are nobody's business then."""
    result = await run(recorded, _CLASP_JOURNAL_LINE=f"clasp-journal {typed}")
    assert [line.partition("\t")[0] for line in result.out.splitlines()] == offered
    assert (result.code, result.err) == (0, "")


@pytest.mark.parametrize("shell", RUN_COMMANDS)
async def test_each_shell_completes_what_was_typed(recorded, tmp_path, shell):
    """A verb, an address, a mark with its colon, and, where nothing is known, a file."""
    require_tool(shell, f"apt-get install {shell}")
    shutil.copy(recorded / FILE, tmp_path)
    (tmp_path / "notes.jsonl").touch()
    tool = tmp_path / "clasp-journal"
    tool.write_text(TOOL.format(python=sys.executable))
    tool.chmod(0o700)
    prompt, flags = RUN_COMMANDS[shell]
    script = (await run(tmp_path, "completion", shell)).out
    (tmp_path / "rc").write_text(prompt + script)
    (tmp_path / ".zshrc").symlink_to("rc")
    calls = {
        "verif": "verify",
        f"get --db {FILE} /cu": f"get --db {FILE} /cue/go",
        f"around --db {FILE} mark:do": f"around --db {FILE} mark:doors-open",
        "import no": "import notes.jsonl",
    }
    with terminal(tmp_path, shell, *flags) as (keys, screen):
        for typed, completed in calls.items():
            await screen.until(PROMPT)
            keys(f"clasp-journal {typed}\t")
            # A shell that is still busy completing may do without it when the next key comes.
            await screen.until(completed.removeprefix(typed))
            keys("\r")
            assert await screen.until(">\r\n", after="GOT<") == completed


@contextmanager
def terminal(folder, *command):
    """A program on a terminal of its own: something to type with, and the screen."""
    ours, theirs = pty.openpty()
    variables = {
        "HOME": str(folder),
        "ZDOTDIR": str(folder),
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
    }
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(folder, **variables),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: ioctl(theirs, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    try:
        yield lambda text: os.write(ours, text.encode()), Screen(ours)
    finally:
        # A shell that is still loading its completions has children of its own.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(ours)


class Screen:
    """What a terminal shows, read piece by piece."""

    def __init__(self, terminal):
        self._terminal = terminal
        self._unread = ""

    async def until(self, text, *, after=""):
        """What stands between two texts, as soon as it does."""
        async with asyncio.timeout(PATIENCE_S):
            while text not in self._unread.partition(after)[2] if after else text not in self._unread:
                await asyncio.to_thread(self._read)
        _, _, rest = self._unread.partition(after) if after else ("", "", self._unread)
        found, _, self._unread = rest.partition(text)
        return found

    def _read(self):
        self._unread += os.read(self._terminal, 65536).decode(errors="replace")


async def test_every_verb_helps_with_examples(tmp_path):
    """`VERB --help` says what it does and shows how; the list of verbs knows each of them."""
    results = await run_all(tmp_path, *((name, "--help") for name in VERBS), ("--help",))
    listed = results.pop()
    for name, result in zip(VERBS, results, strict=True):
        assert result.code == 0, name
        assert f"clasp-journal {name}" in result.out.partition("\n\n")[2], name
        assert f"  {name}  " in listed.out


async def test_no_address_gets_onto_the_line_as_a_command(tmp_path):
    """What a shell would do something with is not offered, whoever named it so; what is odd otherwise is."""
    rude = (
        "/a;reboot",
        "/a$(reboot)",
        "/a`reboot`",
        "/a b",
        "/a|b",
        "/a\nreboot",
        "/a\x1b[31m",
        "/a\u202eb",
        "/a'b",
    )
    fine = ("/a/level", "/a:b,c.d@e%f+g=h-i_j", "/a/日本", "/a/🔥")
    async with SqliteJournal(tmp_path / "rude.db") as journal:
        await journal.append([was_set(address, 1) for address in rude + fine])
    offers = await run(tmp_path, _CLASP_JOURNAL_LINE="clasp-journal get --db rude.db /a")
    assert sorted(line.partition("\t")[0] for line in offers.out.splitlines()) == sorted(fine)
