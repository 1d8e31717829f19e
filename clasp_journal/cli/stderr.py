"""What is told to the person, beside what is handed to the next program.

Law: results go to stdout, everything else to stderr; a progress line appears only on a terminal, only after
half a second, and is gone when the work is done.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

QUIET_S = 0.5
REFRESH_S = 0.1


def say(text: str) -> None:
    """One line on stderr; what a peer has put into it gives no orders to a terminal."""
    from clasp_journal.cli.output.cells import clean

    try:
        print(clean(text, kept="\n"), file=sys.stderr, flush=True)
    except OSError:
        # Nobody listens; the exit code still speaks.
        return


class Progress:
    """A line about long work: how much, how fast, how long still. `total` is 0 where it is not known.

    Where results come meanwhile (`beside_results`), it is for those who send them elsewhere: on one terminal
    the two would overwrite each other, and whoever sees results needs no line.
    """

    def __init__(self, doing: str, total: int = 0, *, beside_results: bool = False) -> None:
        self.done = 0
        self._doing = doing
        self._total = total
        self._began_s = time.monotonic()
        self._next_s = self._began_s + QUIET_S
        self._shown = False
        self._enabled = sys.stderr.isatty() and not (beside_results and sys.stdout.isatty())

    def advance(self, count: int = 1) -> None:
        """Count what was done since the last call."""
        self.done += count
        if self._enabled and (now_s := time.monotonic()) >= self._next_s:
            self._next_s = now_s + REFRESH_S
            self._show(now_s - self._began_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _show(self, elapsed_s: float) -> None:
        rate = self.done / elapsed_s
        text = f"{self._doing} {self.done:,}"
        if self._total:
            left_s = max(0, self._total - self.done) / rate if rate else 0
            text += f" of {self._total:,} ({min(100, 100 * self.done // self._total)} %)"
            text += f", {left_s // 60:.0f}:{left_s % 60:02.0f} left"
        sys.stderr.write(f"\r\x1b[K{text}, {rate:,.0f}/s")
        sys.stderr.flush()
        self._shown = True
