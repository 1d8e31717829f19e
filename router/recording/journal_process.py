"""One life of the journal's process, as its parent sees it.

Law: the process gets two sockets and stderr, and nothing else; no shell is involved.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Self

from router.recording.messages import Kind
from router.recording.pipe import Receiver, Sender

MODULE = "router.recording.recorder_child"
PIPE_BYTES = 1024 * 1024
"""What the kernel may hold in each direction: this much survives the death of the router uncommitted."""

_PACKAGES = str(Path(__file__).parents[2])


class JournalProcess:
    """A running process and the pipes to it."""

    def __init__(self, process: asyncio.subprocess.Process, sender: Sender, receiver: Receiver) -> None:
        self.pid = process.pid
        self._process = process
        self._sender = sender
        self._receiver = receiver
        self._messages = receiver.messages()

    @classmethod
    async def spawn(cls) -> Self:
        """Start it."""
        to_child, child_reads = _one_way_pair()
        try:
            child_writes, from_child = _one_way_pair()
        except OSError:
            to_child.close()
            child_reads.close()
            raise
        spawning = asyncio.create_task(_execute(child_reads, child_writes))
        try:
            process = await asyncio.shield(spawning)
            sender = await Sender.start(to_child)
            return cls(process, sender, await Receiver.start(from_child))
        except BaseException:
            to_child.close()
            from_child.close()
            await _end_unwanted(spawning)
            raise

    def attend(self, on_room: Callable[[], None]) -> None:
        """From here on `on_room` is called whenever more can be sent."""
        self._sender.on_room = on_room

    @property
    def has_room(self) -> bool:
        """Whether a message would be sent at once."""
        return self._sender.has_room

    def send(self, kind: Kind, *parts: bytes) -> None:
        """Send a message; into a process that has ended, nothing."""
        self._sender.send(kind, *parts)

    def write(self, messages: bytes) -> None:
        """Send several messages, which are packed already."""
        self._sender.write(messages)

    async def receive(self) -> tuple[Kind, bytes] | None:
        """The next message of the process; None when it has ended."""
        return await anext(self._messages, None)

    def messages(self) -> AsyncIterator[tuple[Kind, bytes]]:
        """The messages of the process, until it ends."""
        return self._messages

    def kill(self) -> None:
        """Kill it at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def end(self) -> int:
        """Close the pipes, wait until the process has finished what is in them, return its exit code."""
        self.hang_up()
        return await self._process.wait()

    def hang_up(self) -> None:
        """Close the pipes; the process finishes what is in them and ends."""
        self._sender.close()
        self._receiver.close()


async def _execute(child_reads: socket.socket, child_writes: socket.socket) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            # Not the current directory: it is the user's, and may hold anything.
            *("-P", "-m", MODULE, str(child_reads.fileno()), str(child_writes.fileno())),
            pass_fds=(child_reads.fileno(), child_writes.fileno()),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            env=_environment(),
        )
    finally:
        child_reads.close()
        child_writes.close()


async def _end_unwanted(spawning: asyncio.Task[asyncio.subprocess.Process]) -> None:
    """A start that was given up: the process may only now come to life, and must not stay."""
    with contextlib.suppress(OSError):
        process = await spawning
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _one_way_pair() -> tuple[socket.socket, socket.socket]:
    writes, reads = socket.socketpair()
    writes.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PIPE_BYTES)
    return writes, reads


def _environment() -> dict[str, str]:
    """Ours, and these very packages importable, wherever they were imported from."""
    known = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{known}{os.pathsep}{_PACKAGES}" if known else _PACKAGES}
