"""The real router as a process of its own, as its users run it."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.places import Place

LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+)")
PATIENCE_S = 30


class RouterProcess:
    """A `clasp-router` on a port of its own, which it keeps over restarts."""

    def __init__(self, folder: Path, place: Place, *flags: str) -> None:
        self._folder = folder
        self._flags = flags
        self._process: asyncio.subprocess.Process | None = None
        self._port = place.port

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"ws://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Start it, and return when it listens."""
        command = ["-W", "error", "-c", "from router.cli import main; main()"]
        listen = ["--listen", f"127.0.0.1:{self._port}", "--journal", "sqlite:journal.db"]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, *command, *listen, *self._flags, cwd=self._folder, stdout=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(PATIENCE_S):
            while line := await self._process.stdout.readline():
                if found := LISTENING.search(line.decode()):
                    assert int(found[1]) == self._port
                    return
        raise AssertionError(f"the router ended with {await self._process.wait()}")

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal, and return how it ended."""
        self._process.send_signal(number)
        async with asyncio.timeout(PATIENCE_S):
            return await self._process.wait()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.returncode is None


@asynccontextmanager
async def running_router(folder: Path, *flags: str) -> AsyncIterator[RouterProcess]:
    """Run it, and end it afterwards; a router that ends otherwise than well fails the test."""
    with Place() as place:
        router = RouterProcess(folder, place, *flags)
        await router.start()
        try:
            yield router
        finally:
            code = await router.stop() if router.is_running else 0
    assert code == 0, f"the router ended with {code}"
