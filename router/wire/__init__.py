"""The CLASP wire: bytes to messages and back, and nothing else. Pure: no clock, no socket, no loop."""
