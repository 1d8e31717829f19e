"""`python -m router` is `clasp-router`."""

from router.cli import main

main()
