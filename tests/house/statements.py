"""SQL has one home: every statement, and every piece of one, stands in `clasp_journal/sqlite/schema.py`."""

import ast
import re
from pathlib import Path

from tests.house.source import PACKAGES, read_sources

HOME = "clasp_journal/sqlite/schema.py"
STATEMENT = re.compile(
    r"\s*(?:"
    r"(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|CREATE|ALTER|DROP|PRAGMA|ATTACH|DETACH|EXPLAIN|SAVEPOINT|RELEASE"
    r"|WHERE|FROM|JOIN|VALUES|LIMIT|ORDER BY|GROUP BY)\s"
    r"|(?:BEGIN|COMMIT|ROLLBACK|VACUUM|ANALYZE|REINDEX)(?:\s|;|$)"
    r")"
)
LOWERCASE = re.compile(
    r"\s*(?:select\s.+\sfrom\s|insert\s+(?:or\s+\w+\s+)?into\s|delete\s+from\s\w+\s*(?:where|;|$)"
    r"|create\s+(?:table|index|unique|trigger|view)\s|pragma\s+\w+|begin\s+(?:immediate|exclusive|deferred))",
    re.DOTALL,
)


def find_stray_sql(root: Path) -> list[str]:
    """Every string of the packages that begins like SQL outside its home; docstrings are prose."""
    findings = []
    for source in read_sources(root, PACKAGES):
        if source.path == HOME:
            continue
        prose = docstrings(source.tree)
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Constant) and id(node) not in prose and sounds_like_sql(node.value):
                findings.append(source.finding(node, f"SQL has one home: move it to {HOME}"))
    return findings


def sounds_like_sql(value: object) -> bool:
    """Whether a constant is text that begins a statement or a piece of one."""
    return isinstance(value, str) and bool(STATEMENT.match(value) or LOWERCASE.match(value))


def docstrings(tree: ast.Module) -> set[int]:
    """The identities of the strings that stand alone as statements."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
