"""Servers under load: started, pinned to a core, watched through the operating system, and stopped."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parents[1]
SERVER_CORE, LOAD_CORE = 0, 1


@dataclass(slots=True)
class Server:
    """One server process; an async-free context manager that gives its port once it listens."""

    name: str
    command: Sequence[str]
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="bench-")))
    port: int = 0
    process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self.command,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("listening on "):
                self.port = int(line.rpartition(":")[2])
                pin(self.process.pid, SERVER_CORE)
                return self
        raise RuntimeError(f"{self.name} did not start: exit code {self.process.wait()}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process is not None
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def cpu_ns(self) -> int:
        """Processor time of the server's own process so far; that of its children is not in it."""
        assert self.process is not None
        threads = Path(f"/proc/{self.process.pid}/task")
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads.iterdir())

    @property
    def rss_bytes(self) -> int:
        """Resident memory of the server's own process now."""
        assert self.process is not None
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


def relay() -> Server:
    """The idiomatic relay."""
    return Server("websockets relay", [sys.executable, "-m", "bench.relay"])


def clasp_router(journal: str) -> Server:
    """Our router, with a journal of this kind."""
    place = {"sqlite": "sqlite:bench.db", "memory": "memory:", "none": "none"}[journal]
    command = [sys.executable, "-m", "router", "--listen", "127.0.0.1:0", "--journal", place]
    return Server(f"journal {journal}", command)


def pin(pid: int, core: int) -> None:
    """Keep a process on one core, where there is more than one."""
    if (os.cpu_count() or 1) > 1:
        with contextlib.suppress(OSError, AttributeError):
            os.sched_setaffinity(pid, {core})
