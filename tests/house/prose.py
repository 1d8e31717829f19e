"""The code speaks: modules, public classes and tests open with a sentence, and promises have owners.

An owner stands in brackets: `TODO(name): why`. Such a line also belongs in the README's roadmap.
"""

import ast
import io
import re
import tokenize
from pathlib import Path

from tests.house.source import EVERYTHING, FunctionNode, Source, read_sources

OWNERLESS = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b(?!\(\w[^)]*\))")


def find_silent_code(root: Path) -> list[str]:
    """Every module, public class and test without a docstring."""
    return [
        source.finding(node, f"{what} opens with a docstring")
        for source in read_sources(root, EVERYTHING)
        for node, what in speakers(source)
        if not ast.get_docstring(node)
    ]


def speakers(source: Source) -> list[tuple[ast.Module | ast.ClassDef | FunctionNode, str]]:
    """What must open with a docstring in one file; an empty file has nothing to say."""
    if not source.text.strip():
        return []
    must: list[tuple[ast.Module | ast.ClassDef | FunctionNode, str]] = [(source.tree, "a module")]
    must += [(node, f"the public class {node.name}") for node in public_classes(source.tree)]
    if source.path.startswith("tests/"):
        must += [
            (function, f"the test {function.name}")
            for function in source.functions()
            if function.name.startswith("test_")
        ]
    return must


def public_classes(scope: ast.Module | ast.ClassDef) -> list[ast.ClassDef]:
    """The classes that others can name: not private, not hidden in a function."""
    found = []
    for node in scope.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            found += [node, *public_classes(node)]
    return found


def find_ownerless_promises(root: Path) -> list[str]:
    """Every comment that promises work without saying whose."""
    return [
        source.finding(token.start[0], "a promise has an owner: write TODO(name), or do it")
        for source in read_sources(root, EVERYTHING)
        for token in tokenize.generate_tokens(io.StringIO(source.text).readline)
        if token.type == tokenize.COMMENT and OWNERLESS.search(token.string)
    ]
