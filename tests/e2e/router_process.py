"""`clasp-router` as a process: started, watched, signalled and killed by its pid, as an operator does it.

Laws: its output goes into files, so that a test that does not read never makes it wait; it has its port from
the first start on, also while it does not run; nothing here outlives the test.
"""

import asyncio
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from tests.places import Place

LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+)")
PATIENCE_S = 60.0
LOOK_S = 0.01
"""Between two looks at a file or at /proc, which cannot tell when they change."""

JOURNAL_FILE = "journal.db"
SQLITE = ("--journal", f"sqlite:{JOURNAL_FILE}")


class RouterProcess:
    """One router, perhaps in several lives."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.folder = folder
        self.port = 0
        self._flags = flags
        self._place: Place | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._end_was_awaited = False

    @property
    def pid(self) -> int:
        """The process id of its present life."""
        return self._process.pid

    @property
    def output(self) -> str:
        """What the present life has said to its operator."""
        return (self.folder / "stdout.txt").read_text()

    @property
    def log(self) -> str:
        """What all lives have written to stderr."""
        return (self.folder / "stderr.txt").read_text()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    def launch(self) -> Self:
        """Start it, without waiting for anything."""
        self._end_was_awaited = False
        if not self.port:
            self._place = Place()
            self.port = self._place.port
        command = [sys.executable, "-W", "error", "-c", "from router.cli import main; main()"]
        flags = self._flags if "--journal" in self._flags else (*SQLITE, *self._flags)
        with (self.folder / "stdout.txt").open("wb") as out, (self.folder / "stderr.txt").open("ab") as err:
            self._process = subprocess.Popen(
                [*command, "--listen", f"127.0.0.1:{self.port}", *flags],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        return self

    def begin(self) -> Self:
        """Start it, and return when it listens."""
        self.launch()
        look_until(lambda: LISTENING.search(self.output) or not self.is_running)
        found = LISTENING.search(self.output)
        assert found, f"the router ended with {self._process.wait()}: {self.log}"
        self.port = int(found[1])
        return self

    async def start(self) -> Self:
        """The same, while the loop turns."""
        return await asyncio.to_thread(self.begin)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait for its end; the exit code, which is then the business of the test."""
        self._end_was_awaited = True
        return await asyncio.to_thread(self._process.wait, PATIENCE_S)

    async def stop(self) -> int:
        """End it as an operator does."""
        self.send(signal.SIGTERM)
        return await self.ended()

    async def kill(self) -> None:
        """End it without a warning. The process of its journal is left to itself."""
        self._process.kill()
        await self.ended()

    async def kill_all(self) -> None:
        """End it and the process of its journal without a warning."""
        journal = self.journal_pid()
        self._process.kill()
        os.kill(journal, signal.SIGKILL)
        await self.ended()

    def end(self) -> None:
        """Whatever state it is in: it ends, and nothing in it was broken."""
        if self._place is not None:
            self._place.close()
        if self._process is None:
            return
        if self.is_running:
            self._process.terminate()
        try:
            code = self._process.wait(PATIENCE_S)
        finally:
            self._process.kill()
        assert "Traceback" not in self.log, self.log
        assert self._end_was_awaited or code == 0, f"the router ended with {code}: {self.log}"

    def journal_pid(self) -> int:
        """The process of its journal."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        assert len(children) == 1, f"{len(children)} children"
        return int(children[0])

    def resident_bytes(self) -> int:
        """The memory that the router takes at this moment."""
        return resident_bytes(self.pid)

    def open_descriptors(self) -> int:
        """How many files and sockets the router has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def allow_writing(self, *, allowed: bool) -> None:
        """Let the files of the journal grow, or refuse every byte, as a full disk does."""
        unlimited = resource.RLIM_INFINITY
        limit_bytes = unlimited if allowed else 0
        resource.prlimit(self.journal_pid(), resource.RLIMIT_FSIZE, (limit_bytes, unlimited))

    def allow_descriptors(self, *, more: int | None) -> None:
        """Let the router open so many files and sockets more than it has, or again as many as ever."""
        _, most = resource.prlimit(self.pid, resource.RLIMIT_NOFILE)
        highest = max(int(path.name) for path in Path(f"/proc/{self.pid}/fd").iterdir())
        limit = most if more is None else highest + 1 + more
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (limit, most))

    async def probe(
        self, path: str, method: str = "GET", *, headers: tuple[str, ...] = ()
    ) -> tuple[int, bytes]:
        """Status and body of a plain HTTP request."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = (f"{method} {path} HTTP/1.1", "Host: localhost", "Content-Length: 0", *headers, "", "")
        try:
            writer.write("\r\n".join(lines).encode())
            async with asyncio.timeout(PATIENCE_S):
                answer = await reader.read()
        finally:
            # Also if the router is killed meanwhile.
            writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), body

    async def until_ready(self) -> None:
        """Wait until /readyz says so."""
        await self._until_answer(200, b"ready\n")

    async def until_unready(self, reason: bytes = b"the journal cannot write: ") -> None:
        """Wait until /readyz says that it is not, and why; a slow machine may have another reason."""
        await self._until_answer(503, reason)

    async def _until_answer(self, status: int, words: bytes) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                told, body = await self.probe("/readyz")
                if told == status and words in body:
                    return
                await asyncio.sleep(LOOK_S)  # paced: a probe asks, it is not told

    async def until_logged(self, words: str) -> None:
        """Wait until stderr has these words."""
        await asyncio.to_thread(look_until, lambda: words in self.log)


def resident_bytes(pid: int) -> int:
    """The memory that a process takes at this moment."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


def look_until(is_so) -> None:
    """Look again and again until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(LOOK_S)  # paced: files and /proc cannot be awaited
