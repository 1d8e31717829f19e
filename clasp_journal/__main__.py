"""`python -m clasp_journal` is `clasp-journal`."""

from clasp_journal.cli.begin import main

main()
