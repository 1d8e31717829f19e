"""The connection that comes back: greeted, watched, and opened again when it is lost.

Laws: who listens hears `opened` and `ended` in turns, and messages only in between; the first connect raises
what goes wrong, all later ones are tried until one succeeds or the link is closed.
"""

from __future__ import annotations

import asyncio
from ssl import SSLContext
from typing import Protocol

from clasp_journal.errors import BadInput
from router.client.connection import Connection, Received
from router.client.errors import ClientError, ConnectionLost
from router.client.pacing import delays_s
from router.wire.messages import Hello, Message, Welcome


class Listener(Protocol):
    """Who is told what happens on a link."""

    def opened(self, welcome: Welcome) -> None:
        """There is a connection; no message has arrived yet."""

    async def begin(self) -> None:
        """Take up where the last connection ended; messages arrive while this runs."""

    def receive(self, received: Received) -> None:
        """A message came."""

    def ended(self, fault: ConnectionLost) -> None:
        """The connection is gone."""

    def on_error(self, fault: Exception) -> None:
        """Something went wrong that is no call's business."""


class Link:
    """One client's way to its router."""

    def __init__(self, url: str, hello: Hello, *, reconnect: bool, tls: SSLContext | None = None) -> None:
        self._url = url
        self._hello = hello
        self._tls = tls
        self.comes_back = reconnect
        self._connection: Connection | None = None
        self._ready = asyncio.Event()
        self._life: asyncio.Task[None] | None = None
        self.end: ConnectionLost | None = None
        """Why there will be no connection any more."""

    @property
    def connected(self) -> bool:
        """Whether messages can be sent now."""
        return self._ready.is_set() and self.end is None

    async def open(self, listener: Listener) -> None:
        """Connect, and return when the listener has begun."""
        self._listener = listener
        connection = await Connection.open(self._url, self._hello, self._tls)
        self._life = asyncio.create_task(self._live(connection))
        await self.wait_connected()

    async def wait_connected(self) -> None:
        """Return when there is a connection; raise `ConnectionLost` if there will be none."""
        await self._ready.wait()
        if self.end is not None:
            raise self.end

    async def room(self) -> None:
        """Wait until more can be posted."""
        await self._current().room()

    def post(self, *messages: Message, qos: int = 0) -> None:
        """Put messages on the way, next to each other."""
        self._current().post(*messages, qos=qos)

    def _current(self) -> Connection:
        if self._connection is None:
            raise self.end or ConnectionLost("not connected")
        return self._connection

    async def close(self) -> None:
        """Say goodbye, for good."""
        if self.end is None:
            self.end = ConnectionLost("the client is closed")
        if self._connection is not None:
            await self._connection.close()
        if self._life is not None:
            self._life.cancel()
            await asyncio.wait([self._life])

    async def _live(self, connection: Connection) -> None:
        try:
            while True:
                fault = await self._use(connection)
                if self.end is None and not self.comes_back:
                    self.end = fault
                if self.end is not None:
                    return
                connection = await self._open_again()
        finally:
            self.end = self.end or ConnectionLost("the client has stopped")
            self._ready.set()

    async def _use(self, connection: Connection) -> ConnectionLost:
        """Listen until the connection is lost, and say why it was."""
        self._connection = connection
        self._listener.opened(connection.welcome)
        fault = ConnectionLost("the client is closed")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(connection))
                group.create_task(self._begin())
        except* ConnectionLost as faults:
            fault = ConnectionLost(str(faults.exceptions[0]))
        finally:
            self._connection = None
            self._ready.clear()
            self._listener.ended(fault)
            await connection.close()
        return fault

    async def _begin(self) -> None:
        try:
            await self._listener.begin()
        except ClientError as fault:
            if isinstance(fault, ConnectionLost):
                raise
            self._listener.on_error(fault)
        self._ready.set()

    async def _listen(self, connection: Connection) -> None:
        while True:
            try:
                received = await connection.receive()
            except BadInput as fault:
                self._listener.on_error(fault)
            else:
                self._listener.receive(received)

    async def _open_again(self) -> Connection:
        for delay_s in delays_s():
            await asyncio.sleep(delay_s)
            try:
                return await Connection.open(self._url, self._hello, self._tls)
            except ClientError as fault:
                # A refusal may be mended at the router, so it is tried again like any other failure.
                self._listener.on_error(fault)
        raise AssertionError("delays never end")
