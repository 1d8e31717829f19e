"""One visitor after another, each with a token of its own, tries every door of a router."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

from clasp_journal import value as values
from clasp_journal.entry import JournalEntry
from clasp_journal.selection import MESSAGES
from router.wire.messages import Ack, Announce, Hello, JournalDo, JournalDone, Publish, Set, SignalDef
from tests.router.auth.brute import WORLD, Case
from tests.router.auth.visitor import Speaker, Visitor

ROOT = "root"
"""Who writes the world."""

Dial = Callable[[], Awaitable[Speaker]]


def by_subject(cases: Iterable[Case]) -> dict[str, Case]:
    """The cases by the subject of their tokens."""
    return {f"case {number}": case for number, case in enumerate(cases)}


def scopes_of(cases: Mapping[str, Case]) -> dict[str, tuple[str, ...]]:
    """What the file of tokens has to say of them."""
    return {ROOT: ("admin:/**",), **{subject: case.scopes for subject, case in cases.items()}}


async def rehearse(cases: Mapping[str, Case], tokens: Mapping[str, str], dial: Dial) -> None:
    """Let each try everything, in a world that is written anew before and while it looks."""
    root = await dial()
    root.send(Hello(token=tokens[ROOT]))
    root.send(Announce("/", [SignalDef(address) for address in WORLD]))
    for number, (subject, case) in enumerate(cases.items()):
        await _write_world(root)
        visitor = Visitor(await dial(), case, legacy_form=number % 2 == 1)
        await visitor.enter(tokens[subject])
        await visitor.try_reading()
        await visitor.try_the_past()
        await visitor.try_writing()
        await _write_world(root)
        await visitor.hear(WORLD)
        visitor.look_back()
        visitor.peer.close()
    root.close()


def judge_written(entries: Iterable[JournalEntry], cases: Mapping[str, Case]) -> None:
    """Nothing that is in the journal was written outside the scopes of who wrote it."""
    for entry in entries:
        if entry.author != ROOT and entry.kind in MESSAGES:
            assert cases[entry.author].opens("write", entry.address), entry


async def _write_world(root: Speaker) -> None:
    """All of it, and wait until it is in the journal, and its state too."""
    for address in WORLD:
        root.send(Publish(address, encoded=values.encode("event")))
    for address in WORLD:
        root.send(Set(address, values.encode("root")), qos=1)
    for _ in WORLD:
        await root.until(lambda heard: isinstance(heard, Ack))
    root.send(JournalDo(1, "snapshot"))
    await root.until(lambda heard: isinstance(heard, JournalDone))
