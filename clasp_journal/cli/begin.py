"""Where the program begins: it says what an interrupt does, and only then imports what it consists of."""

from __future__ import annotations

from typing import NoReturn

from clasp_journal.cli.interrupts import end_at_interrupts


def main() -> NoReturn:
    """Run the tool."""
    end_at_interrupts()
    from clasp_journal.cli.main import main

    main()
