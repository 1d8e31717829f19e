"""Arrows point down only: which module may import which.

The table below is the plan of the house, bottom floor first. A module may import what stands on a lower
floor, and what belongs to its own room. Rooms on one floor do not know each other. A package may have rooms
within it: of the names that a module lies within, the longest counts. Type-only and lazy imports count like
any other: knowing is knowing. The one way from the journal to the router is LAZY_EXCEPTION. A module without
a room is a finding: give it one here.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.house.source import EVERYTHING, PACKAGES, Source, read_sources

Room = tuple[str, ...]

WORDS: Room = (
    "clasp_journal.address",
    "clasp_journal.value",
    "clasp_journal.entry",
    "clasp_journal.short",
    "clasp_journal.forgetting",
    "clasp_journal.rules",
    "clasp_journal.thinned",
    "clasp_journal.selection",
    "clasp_journal.restore",
    "clasp_journal.snapshot_thinning",
    "clasp_journal.jsonl",
    "clasp_journal.errors",
)

FLOORS: tuple[tuple[Room, ...], ...] = (
    (WORDS, ("clasp_journal.streams", "clasp_journal.command_line")),
    (("clasp_journal.journal",), ("clasp_journal.presence",)),
    (("clasp_journal.mirror",), ("clasp_journal.authors",), ("clasp_journal.views",)),
    (("clasp_journal.memory", "clasp_journal.ring"), ("clasp_journal.sqlite",)),
    (
        ("clasp_journal.opening",),
        ("clasp_journal.travel", "clasp_journal.analysis", "clasp_journal.acting"),
        ("clasp_journal.testing",),
    ),
    (("clasp_journal.__init__",),),
    (("router.wire",), ("router.loops",), ("clasp_journal.cli.grammar",)),
    (("router.core",), ("clasp_journal.cli.output",)),
    (("router.recording",), ("clasp_journal.cli",)),
    (("router.runtime",), ("clasp_journal.cli.verbs",)),
    (("router.transports",), ("router.client",), ("router.auth",), ("router.web",)),
    (
        (
            "router.quantities",
            "router.spelling",
            "router.config",
            "router.sources",
            "router.network",
            "router.advice",
            "router.readiness",
            "router.logs",
            "router.supervision",
            "router.daemon",
            "router.program",
            "router.cli",
            "router.token_cli",
            "router.top_cli",
            "router.top",
            "router.__main__",
        ),
    ),
    (("router.__init__",), ("clasp_journal.__main__",)),
)

LAZY_EXCEPTION = ("clasp_journal.cli", "router.client")
OUTSIDE = tuple(top for top in EVERYTHING if top not in PACKAGES)


@dataclass(frozen=True)
class Place:
    """Where a module stands: how high, and in which room."""

    floor: int
    room: Room


PLACES = {name: Place(floor, room) for floor, rooms in enumerate(FLOORS) for room in rooms for name in room}


@dataclass(frozen=True)
class Arrow:
    """One import: what is imported, where, and whether it waits inside a function or is for types only."""

    target: str
    node: ast.AST
    lazy: bool


def is_within(module: str, prefix: str) -> bool:
    """Whether a module is the named one or lies below it."""
    return module == prefix or module.startswith(prefix + ".")


def place_of(module: str) -> Place | None:
    """Look a module up in the table."""
    while module and module not in PLACES:
        module = module.rpartition(".")[0]
    return PLACES.get(module)


def arrows(source: Source, known: set[str]) -> Iterator[Arrow]:
    """Every import of a source file, resolved to module names."""
    late: list[ast.AST] = [*source.functions(), *type_only_blocks(source)]
    lazy_nodes = {id(inner) for block in late for inner in ast.walk(block)}
    for node in ast.walk(source.tree):
        for target in targets(node, source, known):
            yield Arrow(target, node, id(node) in lazy_nodes)


def type_only_blocks(source: Source) -> list[ast.AST]:
    """What is never run: the bodies of `if TYPE_CHECKING`."""
    return [
        node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]


def targets(node: ast.AST, source: Source, known: set[str]) -> list[str]:
    """The modules that one statement imports; `import_module("name")` is an import too."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = absolute_base(node, source)
        named = [f"{base}.{alias.name}" for alias in node.names]
        return sorted({name if name in known else base for name in named})
    if isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
        return [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    return []


def absolute_base(node: ast.ImportFrom, source: Source) -> str:
    """The absolute name of what stands after `from`."""
    if not node.level:
        return node.module or ""
    folders = source.path.split("/")[:-1]
    upwards = folders[: len(folders) - (node.level - 1)]
    return ".".join([*upwards, *([node.module] if node.module else [])])


def front_door(module: str) -> str:
    """`import router` means the module `router.__init__`."""
    return f"{module}.__init__" if module in PACKAGES else module


def find_wrong_arrows(root: Path) -> list[str]:
    """Every import that points up or sideways, and every module without a room."""
    sources = read_sources(root, PACKAGES)
    known = {source.module for source in sources}
    findings = []
    for source in sources:
        if place_of(source.module) is None:
            findings.append(
                source.finding(1, f"{source.module} has no room: give it one in tests/house/floors.py")
            )
            continue
        for arrow in arrows(source, known):
            complaint = judge(source.module, arrow)
            if complaint:
                findings.append(source.finding(arrow.node, complaint))
    return findings


def judge(module: str, arrow: Arrow) -> str | None:
    """What is wrong with one import, if anything."""
    target = front_door(arrow.target)
    if target.split(".")[0] in OUTSIDE:
        return f"{module} imports {target}: a package does not know its {target.split('.')[0]}"
    here, there = place_of(module), place_of(target)
    if here is None or there is None or here.room == there.room:
        return None
    if is_within(module, "clasp_journal") and is_within(target, "router"):
        importer, imported = LAZY_EXCEPTION
        if not (is_within(module, importer) and is_within(target, imported)):
            return f"{module} imports {target}: the journal does not know the router"
        return None if arrow.lazy else f"{module} imports {target}: only inside the function that needs it"
    if there.floor == here.floor:
        return f"{module} imports {target}: rooms on one floor do not know each other"
    if there.floor > here.floor:
        return f"{module} imports {target}: arrows point down only"
    return None
