"""Removing what one author wrote."""

from __future__ import annotations

from typing import Any

import click

from clasp_journal.authors import Author
from clasp_journal.cli.exits import Ending, Exit
from clasp_journal.cli.facts import entries, tell_facts
from clasp_journal.cli.stderr import Progress
from clasp_journal.cli.targets import CLIENT_NAME
from clasp_journal.cli.verb import OUTPUT, YES, Ask, verb

FORGET_TIMEOUT_S = 3_600.0


@verb("forget", click.argument("author", metavar="AUTHOR"), YES, *OUTPUT)
async def forget(ask: Ask, author: str, yes: bool) -> None:
    """Remove the entries of one author: a session id, the subject of a token, or the name of a client.

    Numbers stay as they are, and so do the params: what the author SET last is still what it was. Instants
    between its first change and now can no longer be told. An entry says who was forgotten. Without --yes it
    shows what would go, and exits with 7.

    \b
    clasp-journal forget desk
    clasp-journal forget desk --yes
    clasp-journal forget 3f2a9c --yes --url ws://127.0.0.1:7330
    """
    if not author:
        raise Ending(Exit.USAGE, "whose entries are to go? `clasp-journal who` lists the authors")
    facts: dict[str, Any] = {"author": author}
    if yes:
        tell_facts(ask, facts | {"forgotten": await _remove(ask, author)})
        return
    async with ask.target.journal() as journal:
        doomed = Author(journal, author)
        count, first = await doomed.count(), await doomed.entries(limit=1)
        span = {"from_seq": first[0].seq, "to_seq": await doomed.latest_seq()} if first else {}
    tell_facts(ask, facts | {"would_forget": count} | span)
    if count:
        raise Ending(Exit.REFUSED, f"{entries(count)} would go; nothing was removed: --yes removes them")


async def _remove(ask: Ask, author: str) -> int:
    if ask.target.is_live:
        async with ask.target.client() as client:
            done = await client.journal_do("forget", {"author": author}, timeout_s=FORGET_TIMEOUT_S)
        removed = done.get("removed")
        return removed if isinstance(removed, int) else 0
    async with ask.target.writable() as file:
        with Progress("forgetting", await file.len()) as progress:
            return await file.forget(author, by=CLIENT_NAME, on_progress=progress.advance)
