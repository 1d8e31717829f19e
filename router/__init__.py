"""The desk and its doors: a CLASP router that hands everything it decides to a journal."""
