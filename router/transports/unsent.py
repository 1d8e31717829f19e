"""How much of what was written to a socket its peer has not taken: what the system still keeps of it."""

from __future__ import annotations

import fcntl
import socket
import sys
import termios

_COUNT_BYTES = 4


def unsent_bytes(sock: socket.socket) -> int:
    """The bytes that the peer has not acknowledged; 0 if the system does not tell, or the socket is gone."""
    descriptor = sock.fileno()
    if descriptor < 0:
        return 0
    try:
        told = fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(_COUNT_BYTES))
    except OSError:
        return 0
    return int.from_bytes(told, sys.byteorder)
