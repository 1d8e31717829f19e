"""Ports of this machine that stay with a test while nobody listens there: before a router and between two.

Law: the system gives such a port to nobody who asks for any. It is bound, without being listened on, and a
router that names it may listen there all the same, since both say SO_REUSEADDR.
"""

import socket
from typing import Self


class Place:
    """One port."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]

    def close(self) -> None:
        """Let others have it."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
