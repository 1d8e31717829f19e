"""What Ctrl-C does: at first nothing but end the program, later what the work needs.

Laws: until the work of a verb begins, an interrupt ends the process at once and without a word, with 130;
from then on it is an exception, so that what was begun is left as it should be. Who started the tool with
interrupts ignored is obeyed. This module imports next to nothing: what it guards is mostly importing.
"""

from __future__ import annotations

import os
import signal

INTERRUPTED = 130


def end_at_interrupts() -> None:
    """From here on an interrupt ends the process: nothing is begun yet that could be left half done."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def let_work_be_interrupted() -> None:
    """From here on an interrupt is an exception."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def ignore_interrupts() -> None:
    """From here on an interrupt does nothing: all is done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _leave(*_: object) -> None:
    # An exception could be raised where nobody can catch it, like in a callback of the import system.
    os._exit(INTERRUPTED)
