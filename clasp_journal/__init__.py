"""The memory of a CLASP network: addresses, values, entries, and the journals that keep them."""
