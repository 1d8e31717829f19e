"""The three streams of a process, also of one that was started without some of them (`>&-`).

Laws: no file that a program opens gets the number of a stream, so that nothing meant for people is written
into it; whoever closed a stream hears nothing on it, and that is no fault.
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def have_all_streams() -> None:
    """Put nothing in the place of each stream that is missing; before any file is opened."""
    for name, mode in _STREAMS:
        if getattr(sys, name) is None:
            # The system gives the lowest number that is free, which is that of the missing stream.
            number = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def write_all_characters() -> None:
    """Whatever the locale: what goes into a pipe or a file is UTF-8, what a terminal lacks is spelled out."""
    stdout = sys.stdout
    assert isinstance(stdout, TextIOWrapper)
    if stdout.isatty():
        stdout.reconfigure(errors="backslashreplace")
    else:
        stdout.reconfigure(encoding="utf-8")
