"""The mirror of a journal: is it what was written, is it the same, and the journal back from it."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import click

from clasp_journal.cli.exits import Ending, Exit
from clasp_journal.cli.facts import entries, read_file, tell_facts
from clasp_journal.cli.stderr import Progress
from clasp_journal.cli.verb import GENERAL, KEY, OUTPUT, YES, Ask, verb

if TYPE_CHECKING:
    from clasp_journal.mirror import Parity

SHOWN_RANGES = 20
"""So many of the ranges that are missing are named."""


@verb(
    "mirror",
    click.argument("action", type=click.Choice(["verify", "parity", "rebuild", "forget"])),
    click.argument("file", metavar="FILE"),
    click.option(
        "--key", metavar="FILE", help="verify: the key with which every checkpoint has to be signed"
    ),
    YES,
    *OUTPUT,
    general=[option for option in GENERAL if option is not KEY],
)
async def mirror(ask: Ask, action: str, file: str, key: str | None, yes: bool) -> None:
    """Look after the mirror of a journal, the file of JSON lines that `clasp-router --mirror FILE` writes.

    `verify` checks its chain of hashes, from file to file; `parity` compares it with the journal; `rebuild`
    puts into the journal what only the mirror has, all or nothing. Exit code 5 where a chain is broken or the
    sides differ, with the first entry and the reason. `forget` takes the content out of lines that were
    removed on purpose, and leaves their digests; a state that only they tell cannot be rebuilt after that.

    \b
    clasp-journal mirror verify show.jsonl
    clasp-journal mirror parity show.jsonl --db show.db
    clasp-journal mirror rebuild show.jsonl --db fresh.db --yes
    clasp-journal mirror forget show.jsonl --yes
    """
    if key is not None and action != "verify":
        raise Ending(Exit.USAGE, f"mirror {action} takes no --key; mirror verify does")
    if action == "verify":
        await _verify(ask, file, key)
    elif action == "parity":
        await _compare(ask, file)
    elif action == "rebuild":
        await _rebuild(ask, file, yes=yes)
    else:
        await _forget(ask, file, yes=yes)


async def _verify(ask: Ask, file: str, key: str | None) -> None:
    from clasp_journal.mirror import verify_chain

    with Progress("reading") as progress:
        found = await asyncio.to_thread(verify_chain, file, key_file=key, on_progress=progress.advance)
    broken, torn = found.broken, found.torn
    facts: dict[str, Any] = {
        "intact": found.is_intact,
        "entries": found.entries,
        "first_seq": found.first_seq,
        "last_seq": found.last_seq,
        "epoch": found.epoch,
        "head": found.head,
        "files": found.files,
        "forgotten": found.forgotten,
        "torn_bytes": 0 if torn is None else torn.size_bytes,
        "first_bad_seq": broken and broken.seq,
        "file": broken and os.path.basename(broken.file),
        "line": broken and broken.line,
        "reason": broken and broken.reason,
    }
    if key is not None:
        facts["signed_upto_seq"] = found.signed_upto_seq
    tell_facts(ask, facts)
    if broken is not None:
        raise Ending(
            Exit.DAMAGED, f"the mirror is broken: {broken.file}, line {broken.line}: {broken.reason}"
        )


async def _compare(ask: Ask, file: str) -> None:
    from clasp_journal.mirror import parity

    async with read_file(ask, "mirror parity") as journal:
        with Progress("comparing", await journal.len()) as progress:
            found = await parity(journal, file, on_progress=progress.advance)
    tell_facts(ask, _described(found))
    _end_unless_consistent(found)


def _described(found: Parity) -> dict[str, Any]:
    return {
        "consistent": found.is_consistent,
        "in_journal": found.in_journal,
        "in_mirror": found.in_mirror,
        "missing_in_journal": found.missing_in_journal.count,
        "missing_in_mirror": found.missing_in_mirror.count,
        "differing": found.differing_count,
        "removed": found.removed,
        "first_bad_seq": found.first_seq,
        "reason": _reason(found),
        "ranges_missing_in_journal": [list(each) for each in found.missing_in_journal.ranges[:SHOWN_RANGES]],
        "ranges_missing_in_mirror": [list(each) for each in found.missing_in_mirror.ranges[:SHOWN_RANGES]],
        "digests": [list(each) for each in found.differing[:SHOWN_RANGES]],
    }


def _reason(found: Parity) -> str | None:
    if found.is_consistent:
        return None
    if found.disorder:
        return found.disorder
    first = found.first_seq
    if first == found.missing_in_journal.first:
        return f"entry {first} is missing in the journal"
    if first == found.missing_in_mirror.first:
        return f"entry {first} is missing in the mirror"
    return f"entry {first} differs"


def _end_unless_consistent(found: Parity) -> None:
    if not found.is_consistent:
        raise Ending(Exit.DAMAGED, f"the journal and its mirror are not the same: {_reason(found)}")


async def _rebuild(ask: Ask, file: str, *, yes: bool) -> None:
    from clasp_journal.errors import JournalCorrupt
    from clasp_journal.mirror import DifferingEntry, rebuild

    path = ask.target.path
    if path is None:
        raise Ending(Exit.USAGE, "mirror rebuild writes a file, with no router on it: name it with --db FILE")
    if not yes:
        await _show_plan(ask, file, path)
    async with ask.target.fresh_or_writable() as journal:
        try:
            with Progress("rebuilding") as progress:
                done = await rebuild(journal, file, on_progress=progress.advance)
        except DifferingEntry as error:
            digests = {"in_journal": error.digest_in_journal.hex(), "in_mirror": error.digest_in_mirror.hex()}
            tell_facts(ask, {"inserted": 0, "first_bad_seq": error.seq, "reason": error.reason, **digests})
            raise Ending(Exit.DAMAGED, str(error)) from None
        except JournalCorrupt as error:
            tell_facts(ask, {"inserted": 0, "first_bad_seq": error.first_bad_seq, "reason": error.reason})
            raise
    facts = {"inserted": done.inserted, "identical": done.identical, "epoch": done.epoch}
    tell_facts(ask, {**facts, "has_base": done.has_base, **_described(done.parity)})
    _end_unless_consistent(done.parity)


async def _forget(ask: Ask, file: str, *, yes: bool) -> None:
    from clasp_journal.mirror import count_forgettable, forget_lines

    if yes:
        tell_facts(ask, {"forgotten": await asyncio.to_thread(forget_lines, file)})
        return
    count = await asyncio.to_thread(count_forgettable, file)
    tell_facts(ask, {"would_forget": count})
    if count:
        raise Ending(
            Exit.REFUSED, f"{count:,} lines would lose their content; nothing was changed: --yes does it"
        )


async def _show_plan(ask: Ask, file: str, path: str) -> None:
    """Say what would be inserted, and end."""
    from clasp_journal.mirror import parity, verify_chain

    if _is_file(path):
        async with ask.target.journal() as journal:
            found = await parity(journal, file)
        tell_facts(ask, _described(found))
        count = found.missing_in_journal.count
    else:
        count = (await asyncio.to_thread(verify_chain, file)).entries
        tell_facts(ask, {"in_journal": 0, "in_mirror": count})
    raise Ending(
        Exit.REFUSED, f"{entries(count)} would be inserted into {path}; nothing was changed: --yes does it"
    )


def _is_file(path: str) -> bool:
    return os.path.exists(path)
