"""What the daemon tells its operator: one line per fault, and no floods."""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import UTC, datetime

REPEATS_MAX = 5
"""Lines of one kind within a window before they are only counted."""
WINDOW_S = 10.0
_KINDS_MAX = 1_000


class NoFloods(logging.Filter):
    """Lets the first few lines of a kind pass in each window; the next that passes says how many did not.

    Lines are of one kind when they have the same logger and the same text before its values are put in.
    """

    def __init__(self) -> None:
        super().__init__()
        self._kinds: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        kind = (record.name, str(record.msg))
        now = time.monotonic()
        since, seen = self._kinds.get(kind, (now, 0))
        swallowed = 0
        if now - since > WINDOW_S:
            swallowed = max(0, seen - REPEATS_MAX)
            since, seen = now, 0
        if len(self._kinds) >= _KINDS_MAX:
            self._kinds.clear()
        self._kinds[kind] = (since, seen + 1)
        if swallowed:
            record.msg = f"{record.msg} (and {swallowed} more like this)"
        return seen < REPEATS_MAX


class TextLines(logging.Formatter):
    """`2026-11-20T21:03:17.250Z WARNING router.desk: what happened`; control characters are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage().encode("unicode_escape").decode()
        line = f"{_time(record)} {record.levelname} {record.name}: {message}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonLines(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up(log_format: str, *, verbose: bool) -> None:
    """Send the log to stderr in this format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    handler.addFilter(NoFloods())
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True)
    for noisy in ("asyncio", "aiosqlite", "websockets"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
