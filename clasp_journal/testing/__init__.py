"""Checks for whoever writes a backend: the promises of `Journal`, one function each.

    from clasp_journal.testing import check_journal

    await check_journal(make)            # raises an ExceptionGroup that names every broken promise

`make` is an async function that gives a fresh, empty journal each time; it must hold a few thousand entries.
A backend that outlives its process also gives `reopen`, an async function that takes a closed journal and
opens the same one again. The checks know no test framework: parametrize over `CHECKS` and
`PERSISTENCE_CHECKS` for one test per promise.
"""

from __future__ import annotations

from types import ModuleType

from clasp_journal.testing import (
    authors,
    carrying,
    compaction,
    following,
    forgetting,
    lifetime,
    numbering,
    persistence,
    querying,
    snapshots,
    viewing,
)
from clasp_journal.testing.samples import Check, Make, PersistenceCheck, Reopen

__all__ = [
    "CHECKS",
    "PERSISTENCE_CHECKS",
    "Check",
    "Make",
    "PersistenceCheck",
    "Reopen",
    "check_journal",
]


def _checks(*modules: ModuleType) -> list[Check]:
    named = [item for module in modules for item in vars(module).items()]
    return [check for name, check in named if name.startswith("check_")]


CHECKS: tuple[Check, ...] = (
    *_checks(numbering, querying, snapshots, compaction, following),
    *_checks(authors, forgetting, viewing, carrying, lifetime),
)
"""What every backend keeps. Each takes `make`."""

PERSISTENCE_CHECKS: tuple[PersistenceCheck, ...] = persistence.PERSISTENCE_CHECKS
"""What a backend keeps, in addition, that can be opened again. Each takes `make` and `reopen`."""


async def check_journal(make: Make, reopen: Reopen | None = None) -> None:
    """Run every check that applies, and raise all failures together."""
    failures: list[Exception] = []
    for check in CHECKS:
        try:
            await check(make)
        except Exception as failure:
            failure.add_note(check.__name__)
            failures.append(failure)
    for persistence_check in PERSISTENCE_CHECKS if reopen else ():
        assert reopen is not None
        try:
            await persistence_check(make, reopen)
        except Exception as failure:
            failure.add_note(persistence_check.__name__)
            failures.append(failure)
    if failures:
        raise ExceptionGroup("broken promises", failures)
