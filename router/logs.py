"""What the daemon tells its operator: one line per fault, and no floods.

Laws: a line is one line, whatever a peer has put into it; of a flood the first lines are written and the
others counted, and the count is told with the next line after it, or at the end. A fault of ours is one line
too: what it was and where; how it came there is added with `--verbose`, and always in JSON. What looks like
a token is left out, wherever it stands.
"""

from __future__ import annotations

import codecs
import json
import logging
import re
import sys
import traceback
from collections import OrderedDict
from datetime import UTC, datetime
from typing import NamedTuple, TextIO

from router.auth.tokens import PREFIX

REPEATS_MAX = 5
"""Lines of one kind within a window before they are only counted."""
WINDOW_S = 10.0
MESSAGE_MAX_CHARS = 2_000
_KINDS_MAX = 1_000
_SECRETS = re.compile(PREFIX + r"\w+")
_REDACTED = f"{PREFIX}[redacted]"
_DIGITS = re.compile(r"\d+")
_escape = codecs.getencoder("unicode_escape")
"""Looked up here: Python reads a file for that, which may not be possible when there is a fault to tell."""


class _Kind(NamedTuple):
    """Lines of one kind have the same words before values are put in; where all is value, without numbers."""

    logger: str
    level: int
    words: str


class _Seen:
    __slots__ = ("count", "since_s", "until_s")

    def __init__(self, now_s: float) -> None:
        self.since_s = self.until_s = now_s
        self.count = 0


class NoFloods:
    """Counts the lines of each kind in windows of time, which are the times of the lines themselves."""

    def __init__(self) -> None:
        self._kinds: OrderedDict[_Kind, _Seen] = OrderedDict()

    def admits(self, record: logging.LogRecord) -> bool:
        """Whether it is to be written."""
        kind = _kind_of(record)
        seen = self._kinds.get(kind)
        if seen is None:
            seen = self._kinds[kind] = _Seen(record.created)
        seen.count += 1
        seen.until_s = record.created
        return seen.count <= REPEATS_MAX

    def ended(self, now_s: float | None) -> list[logging.LogRecord]:
        """Lines about what was not written in the windows that are over; without a time, in all."""
        lines = []
        while self._kinds:
            kind, seen = next(iter(self._kinds.items()))
            is_over = now_s is None or not 0 <= now_s - seen.since_s < WINDOW_S
            if not is_over and len(self._kinds) < _KINDS_MAX:
                break
            del self._kinds[kind]
            if seen.count > REPEATS_MAX:
                lines.append(_summary(kind, seen))
        return lines


def _kind_of(record: logging.LogRecord) -> _Kind:
    words = str(record.msg)
    if words == "%s" or not record.args:
        words = _DIGITS.sub("#", record.getMessage()[:MESSAGE_MAX_CHARS])
    return _Kind(record.name, record.levelno, words)


def _summary(kind: _Kind, seen: _Seen) -> logging.LogRecord:
    text = f"and {seen.count - REPEATS_MAX} more in {seen.until_s - seen.since_s:.1f} s like: {kind.words}"
    summary = logging.LogRecord(kind.logger, kind.level, "", 0, text, None, None)
    summary.created = seen.until_s
    return summary


class Lines(logging.StreamHandler[TextIO]):
    """Writes lines, unless they are a flood."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._floods = NoFloods()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, and before it the count of each flood that is over."""
        for summary in self._floods.ended(record.created):
            super().emit(summary)
        if self._floods.admits(record):
            super().emit(record)

    def format(self, record: logging.LogRecord) -> str:
        """The line. No part of this program logs a token; what a peer has put into a text, it may have."""
        return _SECRETS.sub(_REDACTED, super().format(record))

    def close(self) -> None:
        """Tell what is still only counted."""
        for summary in self._floods.ended(None):
            super().emit(summary)
        super().close()


class TextLines(logging.Formatter):
    """`2026-11-20T21:03:17.250Z WARNING router.desk: what happened`; control characters are escaped."""

    def __init__(self, *, verbose: bool = False) -> None:
        super().__init__()
        self._verbose = verbose

    def format(self, record: logging.LogRecord) -> str:
        line = f"{_time(record)} {record.levelname} {record.name}: {_one_line(_message(record))}"
        steps = _trace(record).rstrip().split("\n")
        if not steps[-1]:
            return line
        line = f"{line}: {_one_line(_fault(record, steps[-1]))}"
        if not self._verbose:
            return line
        return "\n".join([line, *(f"    {_one_line(step)}" for step in steps)])


class JsonLines(logging.Formatter):
    """One JSON object per line, in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        trace = _trace(record)
        if trace:
            line["exception"] = trace
        return json.dumps(line)


def set_up(log_format: str, *, verbose: bool) -> None:
    """Send the log to stderr in this format."""
    handler = Lines(sys.stderr)
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines(verbose=verbose))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True)
    for noisy in ("asyncio", "aiosqlite", "websockets"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _message(record: logging.LogRecord) -> str:
    message = record.getMessage()
    if len(message) <= MESSAGE_MAX_CHARS:
        return message
    return f"{message[:MESSAGE_MAX_CHARS]}... ({len(message)} characters)"


def _trace(record: logging.LogRecord) -> str:
    """How a fault came about; what another process has logged comes as text."""
    if record.exc_info and record.exc_info[1]:
        return "".join(traceback.format_exception(record.exc_info[1]))
    return record.exc_text or ""


def _fault(record: logging.LogRecord, last_step: str) -> str:
    """A fault in one line: what, and the innermost place, as far as it is known."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return last_step[:MESSAGE_MAX_CHARS]
    said = "".join(traceback.format_exception_only(error)).strip()[:MESSAGE_MAX_CHARS]
    steps = traceback.extract_tb(error.__traceback__)
    return f"{said} (in {steps[-1].name}, {steps[-1].filename}:{steps[-1].lineno})" if steps else said


def _one_line(text: str) -> str:
    """The text with everything escaped that does not print: it can neither end the line nor colour it."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c)[0].decode() for c in text)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
