"""`clasp-journal`: the list of verbs, and how each of them ends.

To add a verb: write it in a module of `verbs/`, decorated with `verb` (see `verb.py`), and give it a line in
`VERBS`. Law: the module of a verb is imported when that verb is used, so `--help` stays quick.
"""

from __future__ import annotations

import keyword
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple, NoReturn

import click

from clasp_journal.cli.exits import Ending, Exit, ending_of
from clasp_journal.cli.interrupts import ignore_interrupts
from clasp_journal.cli.stderr import say
from clasp_journal.command_line import StrictGroup, told

PROGRAM = "clasp-journal"
LINE_VARIABLE = "_CLASP_JOURNAL_LINE"
"""Set by a shell that wants to know how the line goes on; see `completion`."""


class Verb(NamedTuple):
    """Where a verb is, and what the list says about it."""

    module: str
    """Below `clasp_journal.cli.verbs`; the command there has the verb's name, with `_` for `-`."""
    group: str
    usage: str
    help: str


_LOOK, _STATE, _CROWD = "What happened", "What was true", "Who and how much"
_ACT, _KEEP, _SHELL = "Acting on it", "Keeping the file", "In the shell"

VERBS: dict[str, Verb] = {
    "query": Verb("entries", _LOOK, "[PATTERN…]", "The newest entries that match, oldest first."),
    "tail": Verb("entries", _LOOK, "[PATTERN…]", "The newest entries, and then each one as it is written."),
    "since": Verb("cursor", _LOOK, "SEQ", "The entries after a number, oldest first."),
    "around": Verb("entries", _LOOK, "TIME [PATTERN…]", "What happened around a time."),
    "history": Verb("entries", _LOOK, "ADDRESS", "The course of one address."),
    "state": Verb("params", _STATE, "[PATTERN…]", "Every param as it was at an instant."),
    "get": Verb("params", _STATE, "ADDRESS", "The value of one param, now or then."),
    "marks": Verb("crowd", _STATE, "", "The named instants."),
    "who": Verb("crowd", _CROWD, "[PATTERN…]", "The authors of messages, whoever wrote most first."),
    "top": Verb("crowd", _CROWD, "[PATTERN…]", "The busiest addresses."),
    "stats": Verb("crowd", _CROWD, "", "The extent of the journal: numbers, times, epoch, size."),
    "view": Verb("viewing", _CROWD, "list|rebuild|show [NAME] [PATTERN…]", "Sums that are kept, up to date."),
    "diff": Verb("comparing", _STATE, "TIME [TIME|now] [PATTERN…]", "What changed between two instants."),
    "mark": Verb("naming", _ACT, "NAME", "Names an instant, so that it can be used as a time."),
    "undo": Verb("acting", _ACT, "PATTERN… --to TIME", "Brings a subtree back to what it was, by SETs."),
    "replay": Verb("acting", _ACT, "[PATTERN…] --to URL", "Plays entries again, into any CLASP router."),
    "verify": Verb("checking", _KEEP, "", "Whether the file is what was written."),
    "backup": Verb("keeping", _KEEP, "FILE", "A copy of the journal, also beside a live router."),
    "restore": Verb("keeping", _KEEP, "--at TIME --to FILE", "The journal as it was then, in a fresh file."),
    "snapshot": Verb("naming", _KEEP, "create|list|show", "The states that the journal keeps whole."),
    "compact": Verb("keeping", _KEEP, "--before TIME|SEQ", "Removes the oldest entries."),
    "forget": Verb("forgetting", _KEEP, "AUTHOR", "Removes what one author wrote; the state stays."),
    "export": Verb("carrying", _KEEP, "[PATTERN…]", "Entries as JSON lines, JSON or CSV, whole and exact."),
    "import": Verb("carrying", _KEEP, "FILE", "Appends the entries of an export."),
    "mirror": Verb(
        "mirroring", _KEEP, "verify|parity|rebuild|forget FILE", "The second copy; the journal from it."
    ),
    "upgrade": Verb("checking", _KEEP, "", "Brings the layout of the file up to date."),
    "doctor": Verb("checking", _KEEP, "", "Whether this machine is good for a journal."),
    "completion": Verb("shell", _SHELL, "bash|zsh|fish", "Completes verbs, options, addresses and marks."),
}


class _Verbs(StrictGroup):
    """The verbs of the table."""

    noun = "verb"

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        known = VERBS.get(cmd_name)
        if known is None:
            return None
        module = import_module(f"clasp_journal.cli.verbs.{known.module}")
        name = cmd_name + "_" if keyword.iskeyword(cmd_name) else cmd_name
        command: click.Command = getattr(module, name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for group in dict.fromkeys(verb.group for verb in VERBS.values()):
            rows = [(name, verb.help) for name, verb in VERBS.items() if verb.group == group]
            with formatter.section(group):
                formatter.write_dl(rows)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="clasp-journal")
def cli() -> None:
    """Ask a journal what happened, what was true, and who did it.

    The journal is a file (--db FILE, also beside a live router) or that of a live router (--url ws://HOST:PORT);
    else $CLASP_JOURNAL_DB, $CLASP_URL or ./clasp-journal.db.

    \b
    clasp-journal query '/lights/**' --since 21:00
    clasp-journal state --at 'yesterday 21:03' --tree
    clasp-journal tail --url ws://127.0.0.1:7330
    clasp-journal VERB --help
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the tool, and end the process with one of the exit codes."""
    code = run(arguments)
    ignore_interrupts()
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the tool; returns the exit code."""
    try:
        if LINE_VARIABLE in os.environ:
            from clasp_journal.cli.completion import offer

            offer(cli, os.environ[LINE_VARIABLE])
            return Exit.OK
        ended = cli.main(arguments, prog_name=PROGRAM, standalone_mode=False)
        sys.stdout.flush()
        return ended if isinstance(ended, int) else Exit.OK
    except click.UsageError as error:
        say(told(error))
        return Exit.USAGE
    except (KeyboardInterrupt, click.Abort):
        return Exit.INTERRUPTED
    except Exception as error:
        return _explain(error)


def _explain(error: Exception) -> int:
    ending = Ending(Exit.OK) if isinstance(error, BrokenPipeError) else ending_of(error)
    if ending is None:
        raise error
    try:
        sys.stdout.flush()
    except OSError:
        _close_stdout()
    if ending.reason:
        say(f"{PROGRAM}: {ending.reason}")
    return ending.code


def _close_stdout() -> None:
    """Let the interpreter flush what is left into nothing, not into a closed pipe or a full disk."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
