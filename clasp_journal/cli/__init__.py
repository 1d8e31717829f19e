"""`clasp-journal`, the tool: each verb is the thin face of a function of the library."""
