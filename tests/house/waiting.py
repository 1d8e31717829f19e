"""Tests wait for the thing itself, never for a while.

`sleep(0)` lets the loop turn and is no wait. Where a pause is the thing under test, its line says so with
`# paced: why`.
"""

import ast
import re
from pathlib import Path

from tests.house.source import Source, read_sources

PACED = re.compile(r"# paced: \S")


def find_naps(root: Path) -> list[str]:
    """Every sleep in a test that is neither zero nor explained."""
    return [
        source.finding(call, "a test waits for the thing itself: await the condition, or say `# paced: why`")
        for source in read_sources(root, ("tests",))
        for call, name in source.calls()
        if name == "sleep" and not is_zero(call) and not is_explained(source, call)
    ]


def is_zero(call: ast.Call) -> bool:
    """Whether the call only lets the loop turn."""
    return bool(call.args) and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0


def is_explained(source: Source, call: ast.Call) -> bool:
    """Whether a line of the call says why it pauses."""
    spanned = source.lines[call.lineno - 1 : call.end_lineno]
    return any(PACED.search(line) for line in spanned)
