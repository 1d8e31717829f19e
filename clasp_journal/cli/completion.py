"""What the shell is offered when somebody presses Tab.

A script in the shell (see `verbs/shell.py`) hands over the line as far as it is typed, in
`$_CLASP_JOURNAL_LINE`, and gets a line for each offer: what the last word could become, a tab, and what that
means.
Law: whoever presses Tab is never told about errors, and waits for no journal longer than `PATIENCE_S`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import click

from clasp_journal.cli.exits import Ending
from clasp_journal.cli.securing import TlsFiles
from clasp_journal.cli.targets import Target, choose_target
from clasp_journal.errors import JournalError

PATIENCE_S = 2.0
OFFERED_MAX = 500
MARK = "mark:"
_SHELLS_OWN = frozenset(" !\"#$&'()*;<>?[\\]^`{|}~")


def offer(cli: click.Command, line: str) -> None:
    """Write what the last word of a line could become."""
    from click.shell_completion import ShellComplete, split_arg_string

    words = split_arg_string(line)
    last = words.pop() if words and not line[-1:].isspace() else ""
    try:
        offers = ShellComplete(cli, {}, "clasp-journal", "").get_completions(words[1:], last)
    except click.ClickException:
        # There is no such verb: nothing can be offered behind it.
        return
    for item in offers:
        if _is_plain(item.value):
            click.echo(f"{item.value}\t{item.help or ''}")


def _is_plain(word: str) -> bool:
    """Whether a shell takes it for one word and nothing else: some put it on the line as it is."""
    return word.isprintable() and not _SHELLS_OWN.intersection(word)


def complete_address(params: Mapping[str, Any], incomplete: str) -> list[str]:
    """The known addresses that go on from what was typed; whole ones, or their next segments if many."""
    found = [each for each in _ask(params, _addresses) if each.startswith(incomplete)]
    if len(found) > OFFERED_MAX:
        found = sorted({_next_segment(address, len(incomplete)) for address in found})[:OFFERED_MAX]
    return found


def complete_time(params: Mapping[str, Any], incomplete: str) -> list[str]:
    """The named instants, once somebody begins to name one; other times nobody can guess."""
    if not incomplete or not (MARK.startswith(incomplete) or incomplete.startswith(MARK)):
        return []
    return [each for each in _ask(params, _marks) if each.startswith(incomplete)][-OFFERED_MAX:]


def _ask(
    params: Mapping[str, Any], question: Callable[[Target], Coroutine[Any, Any, list[str]]]
) -> list[str]:
    """What the journal that the line names answers; nothing if it does not."""
    try:
        tls = TlsFiles(params.get("ca"), params.get("cert"), params.get("tls_key"))
        target = choose_target(params.get("db"), params.get("url"), os.environ, quiet=True, tls=tls)
        return asyncio.run(question(target))
    except (Ending, JournalError, TimeoutError, OSError):
        return []


async def _addresses(target: Target) -> list[str]:
    async with asyncio.timeout(PATIENCE_S), target.journal() as journal:
        return await journal.addresses()


async def _marks(target: Target) -> list[str]:
    from clasp_journal.analysis.marks import marks

    async with asyncio.timeout(PATIENCE_S), target.journal() as journal:
        return list(dict.fromkeys(MARK + mark.name for mark in await marks(journal)))


def _next_segment(address: str, typed: int) -> str:
    end = address.find("/", max(typed, 1))
    return address if end < 0 else address[: end + 1]
