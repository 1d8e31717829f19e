"""The tables of the README, made from the program. `python -m tests.readme_tables` writes them into it.

Each stands between two comments, `<!-- table NAME -->` and `<!-- end -->`, and is replaced as a whole.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path

from bench.readme import speed
from clasp_journal.cli.main import VERBS
from router.config import SETTINGS, RouterConfig
from router.core import limits
from router.web.metrics import METRICS
from router.wire.codes import ErrorCode, JournalStatus

README = Path(__file__).parent.parent / "README.md"
_PLACE = re.compile(r"(<!-- table (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def settings() -> Iterable[str]:
    """Every setting of `clasp-router`."""
    yield "| setting | default | meaning |"
    yield "|---|---|---|"
    for setting in SETTINGS:
        default = setting.format(getattr(RouterConfig(), setting.field))
        yield f"| `{setting.name}` | `{default}` | {setting.help} |"


def limit_rows() -> Iterable[str]:
    """Every bound of `router.core.limits`, with the sentence that follows it there."""
    meanings = _docs_of_fields(limits.Limits)
    yield "| limit | default | what it bounds |"
    yield "|---|---|---|"
    for field in fields(limits.Limits):
        default = getattr(limits.Limits(), field.name)
        shown = f"{default:g}" if isinstance(default, float) else f"{default:,}"
        yield f"| `{field.name}` | {shown} | {meanings.get(field.name, field.name.replace('_', ' '))} |"


def error_codes() -> Iterable[str]:
    """Every code an ERROR can carry."""
    return _meanings("code", ErrorCode)


def journal_statuses() -> Iterable[str]:
    """Every status a JOURNAL_DONE can carry."""
    return _meanings("status", JournalStatus)


def _meanings(head: str, codes: Iterable[ErrorCode | JournalStatus]) -> Iterable[str]:
    yield f"| {head} | meaning |"
    yield "|---|---|"
    for code in codes:
        yield f"| {int(code)} | {code.meaning} |"


def commands() -> Iterable[str]:
    """Every verb of `clasp-journal`."""
    yield "| command | what it gives |"
    yield "|---|---|"
    for name, verb in VERBS.items():
        usage = f"{name} {verb.usage}".strip().replace("|", "\\|")
        yield f"| `{usage}` | {verb.help} |"


def metrics() -> Iterable[str]:
    """Everything that /metrics shows."""
    yield "| metric | type | what it is |"
    yield "|---|---|---|"
    for metric in METRICS:
        yield f"| `{metric.name}` | {metric.kind} | {metric.help} |"


TABLES: dict[str, Callable[[], Iterable[str]]] = {
    "settings": settings,
    "limits": limit_rows,
    "errors": error_codes,
    "commands": commands,
    "statuses": journal_statuses,
    "metrics": metrics,
    "speed": speed,
}


def filled_in(text: str) -> str:
    """A README with its tables as the program would write them."""

    def table(match: re.Match[str]) -> str:
        return match[1] + "\n".join(TABLES[match[2]]()) + "\n" + match[3]

    return _PLACE.sub(table, text)


def _docs_of_fields(described: type) -> dict[str, str]:
    """The text that stands under each field of a class."""
    body = ast.parse(inspect.cleandoc(inspect.getsource(described))).body[0]
    assert isinstance(body, ast.ClassDef)
    docs = {}
    for line, below in zip(body.body, body.body[1:], strict=False):
        is_field = isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
        if is_field and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            docs[line.target.id] = " ".join(str(below.value.value).split())
    return docs


if __name__ == "__main__":
    README.write_text(filled_in(README.read_text(encoding="utf-8")), encoding="utf-8")
