"""The project as the rules see it: parsed modules, the files a commit would carry, and findings.

Laws: a rule is a function from a root directory to findings, so that every rule can be tried on a small bad
tree. A finding is one line, `file:line: what is wrong and what to do`.
"""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGES = ("clasp_journal", "router")
MEASURED = (*PACKAGES, "bench")
EVERYTHING = (*MEASURED, "tests", "examples")

NOT_OURS = {"node_modules", "__pycache__", "build", "dist"}

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, eq=False)
class Source:
    """One Python file: where it is, what it says, and its syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def module(self) -> str:
        """The dotted name; the front door of a top-level package is `package.__init__`."""
        parts = self.path.removesuffix(".py").split("/")
        if parts[-1] == "__init__" and len(parts) > 2:
            parts.pop()
        return ".".join(parts)

    @property
    def lines(self) -> list[str]:
        """The text, line by line."""
        return self.text.splitlines()

    def finding(self, where: ast.AST | int, complaint: str) -> str:
        """One line that names the place and what is wrong with it."""
        line = where if isinstance(where, int) else getattr(where, "lineno", 1)
        return f"{self.path}:{line}: {complaint}"

    def functions(self) -> Iterator[FunctionNode]:
        """Every function and method, however deep."""
        return (node for node in ast.walk(self.tree) if isinstance(node, FunctionNode))

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Every call, with the last word of what is called."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                if isinstance(node.func, ast.Attribute):
                    yield node, node.func.attr
                elif isinstance(node.func, ast.Name):
                    yield node, node.func.id


@cache
def read_sources(root: Path, tops: tuple[str, ...]) -> tuple[Source, ...]:
    """Parse every Python file below the named top-level directories."""
    return tuple(
        Source(path.relative_to(root).as_posix(), text, ast.parse(text, filename=str(path)))
        for top in tops
        for path in sorted((root / top).rglob("*.py"))
        if not NOT_OURS & set(path.relative_to(root).parts)
        for text in [path.read_text(encoding="utf-8")]
    )


def carried_files(root: Path) -> list[Path]:
    """The files a commit would carry; without git, all that are not obviously made by a tool."""
    if (root / ".git").exists():
        command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listing = subprocess.run(command, capture_output=True, check=False)
        if listing.returncode == 0:
            named = (root / name for name in listing.stdout.decode().split("\0") if name)
            return sorted(path for path in named if path.is_file())
    return sorted(path for path in root.rglob("*") if path.is_file() and not made_by_a_tool(root, path))


def made_by_a_tool(root: Path, path: Path) -> bool:
    """Whether a path lies in a cache, a build or an environment."""
    folders = path.relative_to(root).parts[:-1]
    return any(
        part in NOT_OURS or part.endswith(".egg-info") or (part.startswith(".") and part != ".ci")
        for part in folders
    )


def report(findings: list[str]) -> str:
    """The message of a failed rule."""
    return "\n" + "\n".join(findings)
