"""The pure modules stay pure, and tasks are born only where somebody watches them.

Laws: a pure module never awaits, never reads a clock, never touches I/O or chance. A task started anywhere
but in the rooms below loses its order and its errors.
"""

import ast
from pathlib import Path

from tests.house.floors import WORDS, Arrow, arrows, is_within
from tests.house.source import PACKAGES, Source, read_sources

PURE = (*WORDS, "router.wire", "router.core")
WORLDLY = {
    *("asyncio", "threading", "multiprocessing", "subprocess", "signal", "select", "selectors", "concurrent"),
    *("time", "random", "secrets", "logging"),
    *("os", "io", "pathlib", "tempfile", "shutil", "socket", "ssl", "sqlite3", "aiosqlite", "websockets"),
}
CLOCK_READINGS = {"now", "utcnow", "today"}
CLOCKS = {"datetime", "date"}

TASK_MAKERS = {"create_task", "ensure_future"}
TASK_ROOMS = (
    "router.recording",
    "router.runtime",
    "router.transports",
    "router.client",
    "router.daemon",
    "router.program",
)


def find_impurities(root: Path) -> list[str]:
    """Every import, coroutine, clock or file in a pure module."""
    findings = []
    for source in read_sources(root, PACKAGES):
        if any(is_within(source.module, prefix) for prefix in PURE):
            findings += [source.finding(node, complaint) for node, complaint in impurities(source)]
    return findings


def impurities(source: Source) -> list[tuple[ast.AST, str]]:
    """What a pure module has that it must not have."""
    found: list[tuple[ast.AST, str]] = [
        (arrow.node, f"a pure module imports {arrow.target}: pass in what it needs")
        for arrow in arrows(source, set())
        if reaches_the_world(arrow)
    ]
    for function in source.functions():
        if isinstance(function, ast.AsyncFunctionDef):
            found.append((function, f"a pure module never awaits: {function.name} is async"))
    for call, name in source.calls():
        if name == "open" and isinstance(call.func, ast.Name):
            found.append((call, "a pure module opens no file"))
        elif name in CLOCK_READINGS and reads_a_clock(call):
            found.append((call, f"a pure module reads no clock: {ast.unparse(call.func)}"))
    return found


def reaches_the_world(arrow: Arrow) -> bool:
    """Whether an import leads to I/O, time or chance."""
    return arrow.target.split(".")[0] in WORLDLY


def reads_a_clock(call: ast.Call) -> bool:
    """Whether a call is `datetime.now()` or a relative of it."""
    return isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value).split(".")[-1] in CLOCKS


def find_stray_tasks(root: Path) -> list[str]:
    """Every task that is started outside the rooms that watch theirs."""
    return [
        source.finding(call, f"{name} outside {', '.join(TASK_ROOMS)}: nobody would see it fail")
        for source in read_sources(root, PACKAGES)
        if not any(is_within(source.module, prefix) for prefix in TASK_ROOMS)
        for call, name in source.calls()
        if name in TASK_MAKERS
    ]
