"""Completion in the shell: the script that switches it on, and the addresses that it offers.

Law: whoever presses Tab is never told about errors, and waits for no journal longer than `PATIENCE_S`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Any

import click

from clasp_journal.cli.exits import Ending
from clasp_journal.cli.targets import Target, choose_target
from clasp_journal.errors import JournalError

PATIENCE_S = 2.0
OFFERED_MAX = 500
COMMAND = "clasp-journal"
VARIABLE = "_CLASP_JOURNAL_COMPLETE"


@click.command("completion", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Completes verbs, options and addresses in a shell.

    \b
    eval "$(clasp-journal completion bash)"
    eval "$(clasp-journal completion zsh)"
    clasp-journal completion fish > ~/.config/fish/completions/clasp-journal.fish
    """
    from click.shell_completion import get_completion_class

    from clasp_journal.cli.main import cli

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(cli, {}, COMMAND, VARIABLE).source())


def complete_address(params: Mapping[str, Any], incomplete: str) -> list[str]:
    """The known addresses that go on from what was typed; whole ones, or their next segments if many."""
    try:
        target = choose_target(params.get("db"), params.get("url"), os.environ, quiet=True)
        known = asyncio.run(_addresses(target))
    except (Ending, JournalError, TimeoutError, OSError):
        return []
    found = [address for address in known if address.startswith(incomplete)]
    if len(found) > OFFERED_MAX:
        found = sorted({_next_segment(address, len(incomplete)) for address in found})[:OFFERED_MAX]
    return found


async def _addresses(target: Target) -> list[str]:
    async with asyncio.timeout(PATIENCE_S), target.journal() as journal:
        return await journal.addresses()


def _next_segment(address: str, typed: int) -> str:
    end = address.find("/", max(typed, 1))
    return address if end < 0 else address[: end + 1]
