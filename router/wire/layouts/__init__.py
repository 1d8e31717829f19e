"""The binary layout of every message: one function that reads it and one that writes it.

Laws for readers: a reader gets the whole payload and starts behind its type byte; it reads through
`struct`, by index, or through `reading`, and all of these refuse to read past the end, so that whatever
is cut off ends in one of `reading.FAULTS` and nothing is allocated from a count that a peer claims.
Unread bytes at the end and unassigned flag bits are ignored.

Laws for writers: a writer returns the whole payload; what does not fit its field ends in one of
`writing.FAULTS` or in `BadInput`.
"""
