"""`clasp-router top`: asks a running router how it is, again and again, and shows it."""
