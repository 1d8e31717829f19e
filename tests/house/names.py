"""Names explain: no file, class or function hides behind a word that could mean anything.

A test function is a sentence and may use any word.
"""

import ast
import re
from pathlib import Path

from tests.house.source import EVERYTHING, FunctionNode, Source, read_sources

EMPTY_WORDS = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "misc"}


def words(name: str) -> set[str]:
    """The words of a snake_case or CamelCase name."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def find_empty_names(root: Path) -> list[str]:
    """Every name with a word that says nothing."""
    findings = []
    for source in read_sources(root, EVERYTHING):
        findings += [
            source.finding(node, f"the name {name!r} says nothing: name what it does")
            for node, name in names(source)
            if words(name) & EMPTY_WORDS
        ]
    return findings


def names(source: Source) -> list[tuple[ast.AST, str]]:
    """The names that a source file gives, its own path first."""
    given: list[tuple[ast.AST, str]] = [
        (source.tree, part) for part in source.path.removesuffix(".py").split("/")
    ]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) or (
            isinstance(node, FunctionNode) and not node.name.startswith("test_")
        ):
            given.append((node, node.name))
    return given
