"""Where results go that are no table: JSON, CSV, lines after a template.

Laws: in a pipe or a file every character arrives; a terminal gets no orders, whatever a peer wrote. What
would be one is spelled out there as JSON spells it, so that JSON stays the same JSON.
"""

from __future__ import annotations

import sys
from typing import TextIO, cast

from clasp_journal.cli.output.cells import clean

_KEPT = "\n\t"


class _Screen:
    """Stdout on a terminal."""

    def write(self, text: str) -> int:
        return sys.stdout.write(clean(text, kept=_KEPT))

    def flush(self) -> None:
        sys.stdout.flush()


def results() -> TextIO:
    """Stdout, for text that is written as it comes."""
    return cast(TextIO, _Screen()) if sys.stdout.isatty() else sys.stdout
