"""The grammar of `--format`: a line with `%` and a letter where something of the record goes.

%t time   %T time in µs   %a address   %v value   %j value as JSON   %w author   %n client's name
%s seq    %r revision     %o op        %g signal  %% a percent sign; \\t and \\n are tab and line end
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

from clasp_journal.cli.output.cells import clean, text_of, to_json
from clasp_journal.errors import BadInput

_KEYS = {
    "t": "time",
    "T": "timestamp",
    "a": "address",
    "v": "value",
    "w": "author",
    "n": "name",
    "s": "seq",
    "r": "revision",
    "o": "op",
    "g": "signal",
}
_PIECE = re.compile(r"%(.?)|\\([tn\\])|([^%\\]+|\\)", re.DOTALL)
_ESCAPED = {"t": "\t", "n": "\n", "\\": "\\"}


class Template:
    """A parsed `--format`."""

    def __init__(self, text: str) -> None:
        """Parse it; a letter that means nothing is a `BadInput` that lists those that do."""
        self._pieces: list[Callable[[Any], str]] = []
        for letter, escape, literal in _PIECE.findall(text):
            self._pieces.append(_piece(letter, _ESCAPED[escape] if escape else literal))

    def fill(self, record: Any) -> str:
        """The line for a record."""
        return "".join(piece(record) for piece in self._pieces)


def _piece(letter: str, literal: str) -> Callable[[Any], str]:
    if literal or letter == "%":
        return lambda record: literal or "%"
    if letter == "j":
        return lambda record: to_json(record.get("value"))
    key = _KEYS.get(letter)
    if key is None:
        known = " ".join(f"%{letter} {key}" for letter, key in _KEYS.items())
        raise BadInput(f"--format: %{letter} means nothing; there are {known} %j JSON")
    written = clean if sys.stdout.isatty() else str
    return lambda record: written(text_of(record.get(key)))
