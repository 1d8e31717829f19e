"""Params as a tree: a branch for each segment, the value where an address ends."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from clasp_journal.cli.output.cells import clean, to_json
from clasp_journal.cli.output.rich_table import open_console, value_style
from clasp_journal.entry import ParamSnapshot
from clasp_journal.jsonl import json_of

_PIPE_WIDTH = 10_000
"""Nothing is cut where no terminal is."""


def print_tree(params: Iterable[ParamSnapshot]) -> None:
    """Write the tree of params, which are in order of address."""
    root = Tree(Text("/"), guide_style="dim")
    branches: dict[str, Tree] = {}
    for param in params:
        _branch(param.address, root, branches).label = _leaf(param)
    if branches:
        is_tty = sys.stdout.isatty()
        console = open_console() if is_tty else Console(file=sys.stdout, width=_PIPE_WIDTH, color_system=None)
        console.print(root, no_wrap=True, overflow="ellipsis", crop=is_tty)
    sys.stdout.flush()


def _branch(path: str, root: Tree, branches: dict[str, Tree]) -> Tree:
    """The node of a path, with every node above it."""
    above = path.rpartition("/")[0]
    if path not in branches:
        parent = _branch(above, root, branches) if above else root
        branches[path] = parent.add(Text(_segment(path), style="bold"))
    return branches[path]


def _leaf(param: ParamSnapshot) -> Text:
    value = clean(to_json(json_of(param.value)))
    label = Text(_segment(param.address), style="bold")
    return label.append("  ").append(Text(value, style=f"not bold {value_style(value)}"))


def _segment(path: str) -> str:
    return clean(path.rpartition("/")[2]) or "/"
