"""The published JavaScript client in a node process: commands go in, answers and events come out."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.conftest import missing_tool, require_tool
from tests.message_json import plain

HERE = Path(__file__).parent
Event = dict[str, Any]


def escape(value: Any) -> Any:
    """JSON for any CLASP value: bytes and strange floats in their escapes."""
    match value:
        case bytes():
            return {"$bytes": value.hex()}
        case float() if value != value or value in (float("inf"), float("-inf")):
            return {"$float": str(value)}
        case list() | tuple():
            return [escape(one) for one in value]
        case dict():
            return {key: escape(one) for key, one in value.items()}
    return value


class NodeError(Exception):
    """The JavaScript side threw."""


class NodePeer:
    """One node process, with as many clients in it as a test wants."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self.events: list[Event] = []
        self._changed = asyncio.Condition()

    async def do(self, what: str, **arguments: Any) -> Any:
        """Give one command and wait for its answer."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        command = {"id": number, "do": what, **escape(arguments)}
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        await self._process.stdin.drain()
        return await answer

    async def call(self, client: str, method: str, *args: Any) -> Any:
        """Call a method of a client."""
        return await self.do("call", client=client, method=method, args=list(args))

    async def wait_for(self, matches: Callable[[Event], bool], count: int = 1) -> list[Event]:
        """The first events that match, once there are so many."""
        async with self._changed:
            await self._changed.wait_for(lambda: sum(map(matches, self.events)) >= count)
        return [event for event in self.events if matches(event)][:count]

    async def updates(self, subscription: str, count: int) -> list[tuple[str, Any]]:
        """Address and value of the first updates of a subscription, once there are so many."""
        found = await self.wait_for(lambda event: event.get("subscription") == subscription, count)
        return [(event["address"], event["value"]) for event in found]

    async def read(self) -> None:
        """Take in what the process says until it ends."""
        while line := await self._process.stdout.readline():
            said = plain(json.loads(line))
            if "event" in said:
                async with self._changed:
                    self.events.append(said)
                    self._changed.notify_all()
                continue
            answer = self._answers.pop(said["id"])
            if answer.done():
                continue
            if "error" in said:
                answer.set_exception(NodeError(said["error"]))
            else:
                answer.set_result(said["result"])


def require_node() -> str:
    """The path of node; ends the test with a reason where it or the packages are missing."""
    node = require_tool("node", "apt-get install nodejs npm")
    if not (HERE / "node_modules" / "@clasp-to" / "core").is_dir():
        missing_tool("the JavaScript peers are not installed: make interop-setup")
    return node


@asynccontextmanager
async def node_peer() -> AsyncIterator[NodePeer]:
    """Start the process, and end it afterwards."""
    process = await asyncio.create_subprocess_exec(
        require_node(),
        str(HERE / "peer.mjs"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    peer = NodePeer(process)
    reading = asyncio.create_task(peer.read())
    try:
        async with asyncio.timeout(60):
            yield peer
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        await reading
