"""A server under load: started, pinned to a core, watched through the operating system, and stopped."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.servers.cores import JOURNAL_CORE, SERVER_CORE, pin, pinned

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 30.0

Command = Callable[[Path, Sequence[int]], list[str]]
"""Given a folder of its own and free ports, writes what configuration there is and tells the command line."""


@dataclass(slots=True)
class Server:
    """One server process; a context manager that is ready once every port takes connections."""

    name: str
    command: Command
    port_count: int = 1
    announces: bool = False
    """It finds its own port and prints `listening on HOST:PORT`."""
    cores: tuple[int, ...] = (SERVER_CORE,)
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="bench-")))
    ports: list[int] = field(default_factory=list)
    started_in_s: float = 0.0
    process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Begin in the same folder, also after a `stop`."""
        self.ports = [] if self.announces else free_ports(self.port_count)
        started = time.perf_counter()
        # All its threads inherit the cores, and a server that counts cores counts these.
        with pinned(*self.cores):
            self.process = subprocess.Popen(
                self.command(self.folder, self.ports),
                cwd=self.folder,
                stdout=subprocess.PIPE if self.announces else subprocess.DEVNULL,
                stderr=None if self.announces else subprocess.DEVNULL,
                text=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        try:
            self._await_announcement() if self.announces else self._await_ports()
        except BaseException:
            self.stop()
            raise
        self.started_in_s = time.perf_counter() - started
        self._part_ways()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def stop(self) -> None:
        """End it; what it wrote stays in its folder."""
        assert self.process is not None
        self.process.terminate()
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    @property
    def port(self) -> int:
        """The first of its ports."""
        return self.ports[0]

    @property
    def pid(self) -> int:
        """Of the process that serves."""
        assert self.process is not None
        return self.process.pid

    @property
    def cpu_ns(self) -> int:
        """Processor time of the server's own process so far; that of its children is not in it."""
        return cpu_ns(self.pid)

    @property
    def children_cpu_ns(self) -> int:
        """Processor time of its children, such as the journal's process."""
        return sum(cpu_ns(child) for child in self.children())

    @property
    def rss_bytes(self) -> int:
        """Resident memory of the server's own process now."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def forget_peak(self) -> None:
        """Let `peak_bytes` begin anew."""
        with contextlib.suppress(OSError):
            Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    @property
    def peak_bytes(self) -> int:
        """The most that was ever resident, or since it was forgotten."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    def kill(self) -> None:
        """End it without a word, its children with it."""
        for pid in (*self.children(), self.pid):
            os.kill(pid, signal.SIGKILL)

    def children(self) -> list[int]:
        """The processes that it has started."""
        with contextlib.suppress(OSError):
            return [
                int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
            ]
        return []

    def _part_ways(self) -> None:
        """A server whose journal has a process of its own had both cores to start on; now each has one."""
        for child in self.children():
            pin(self.pid, SERVER_CORE)
            pin(child, JOURNAL_CORE)

    def _await_announcement(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("listening on "):
                self.ports = [int(line.rpartition(":")[2])]
                return
        raise RuntimeError(f"{self.name} did not start: exit code {self.process.wait()}")

    def _await_ports(self) -> None:
        assert self.process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        for port in self.ports:
            while not takes_connections(port):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{self.name} did not start: exit code {self.process.poll()}")
                time.sleep(0.01)


def cpu_ns(pid: int) -> int:
    """Processor time of one process so far."""
    threads = Path(f"/proc/{pid}/task")
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads.iterdir())


def takes_connections(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def free_ports(count: int) -> list[int]:
    """Ports that nobody has now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
