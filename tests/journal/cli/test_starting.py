"""How the tool begins: with what the verb needs, and nothing else."""

import re

import pytest

import clasp_journal.mirror
from tests.journal.cli.evening import FILE
from tests.journal.cli.tool import run

NEVER_TO_READ = {
    "rich",
    "websockets",
    "uvloop",
    "cryptography",
    "msgpack",
    "router",
    "clasp_journal.memory",
    "clasp_journal.acting",
    "clasp_journal.mirror.chain",
    "clasp_journal.mirror.lines",
    "clasp_journal.mirror.writing",
    "clasp_journal.sqlite.writing_end",
    "clasp_journal.sqlite.upkeep.upkeep",
    "clasp_journal.views",
}
"""For a terminal, a network, a second copy, or for who writes: each costs as much as the query itself."""

NEVER_TO_HELP = NEVER_TO_READ | {
    "asyncio",
    "dataclasses",
    "sqlite3",
    "aiosqlite",
    "json",
    "clasp_journal.analysis",
}


def imported(importtime: str) -> set[str]:
    """Every module in what `-X importtime` tells."""
    return set(re.findall(r"^import time: .*\| +(\S+)$", importtime, re.MULTILINE))


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (("--help",), NEVER_TO_HELP),
        (("query", "/lights/**", "--db", FILE), NEVER_TO_READ),
        (("state", "--db", FILE), NEVER_TO_READ),
    ],
)
async def test_a_verb_begins_with_few_imports(recorded, arguments, unwanted):
    """Whoever pipes a query into `head` waits for no table, no socket and no writer."""
    result = await run(recorded, *arguments, PYTHONPROFILEIMPORTTIME="1")
    assert result.code == 0
    seen = imported(result.err)
    assert "clasp_journal.cli.main" in seen
    assert not seen & unwanted


@pytest.mark.parametrize("package", [clasp_journal, clasp_journal.mirror])
def test_what_a_package_offers_is_there(package):
    """A name that is imported late is still one that is there; another one is not."""
    assert all(getattr(package, name) is not None for name in package.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonesuch'"):
        _ = package.nonesuch
