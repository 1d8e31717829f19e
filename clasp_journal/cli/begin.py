"""Where the program begins: it says what an interrupt does, and only then imports what it consists of.

Its streams are made whole before any file is opened.
"""

from __future__ import annotations

from typing import NoReturn

from clasp_journal.cli.interrupts import end_at_interrupts
from clasp_journal.streams import have_all_streams, write_all_characters


def main() -> NoReturn:
    """Run the tool."""
    end_at_interrupts()
    have_all_streams()
    write_all_characters()
    from clasp_journal.cli.main import main

    main()
