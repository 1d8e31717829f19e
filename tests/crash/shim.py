"""The shim as Python sees it: compiled for a run, preloaded into children, called from within them."""

import ctypes
import os
import subprocess
import sys
from enum import IntEnum
from pathlib import Path

import tests
from tests.conftest import missing_tool, require_tool

SOURCE = Path(__file__).with_name("shim.c")
PROJECT = Path(tests.__file__).parents[1]
ENDLESS = 1 << 40
HANG = -1
"""In place of an error: the call does not return until the fault is ended."""


class Call(IntEnum):
    """What can be made to fail; the numbers are those of the shim."""

    WRITE = 1
    SYNC = 2
    TRUNCATE = 3


class Shim:
    """The compiled library, and how a child is started with it."""

    def __init__(self, folder: Path) -> None:
        if not sys.platform.startswith("linux"):
            missing_tool("the shim stands between a program and its files on Linux only")
        compiler = require_tool("cc", "apt-get install gcc libc6-dev")
        self._library = folder / "shim.so"
        command = [
            compiler,
            "-Wall",
            "-Wextra",
            "-O1",
            "-shared",
            "-fPIC",
            "-o",
            str(self._library),
            str(SOURCE),
        ]
        subprocess.run([*command, "-ldl", "-lpthread"], check=True)

    def environment(
        self,
        root: Path,
        *,
        log: Path | None = None,
        boot_id: str = "",
        faults: Path | None = None,
        clock: Path | None = None,
    ) -> dict[str, str]:
        """The variables under which a child works in `root`."""
        shimmed = {"LD_PRELOAD": str(self._library), "SHIM_ROOT": str(root.resolve())}
        if faults is not None:
            shimmed["SHIM_FAULTS"] = str(faults)
        if clock is not None:
            shimmed["SHIM_CLOCK"] = str(clock)
        if log is not None:
            shimmed["SHIM_LOG"] = str(log)
        if boot_id:
            told = self._library.with_name(f"boot-{boot_id}")
            told.write_text(f"{boot_id}\n")
            shimmed["SHIM_BOOT_ID"] = str(told)
        return {**os.environ, **shimmed}


def run_child(module: str, *arguments: str, environment: dict[str, str]) -> str:
    """Let a module of these tests work to its end, and return what it printed."""
    command = [sys.executable, "-m", module, *arguments]
    ended = subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


class FaultsFrom:
    """Says from outside which calls of processes fail that were started with this file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def arm(self, call: Call, error: int, first: int) -> None:
        """Let all calls of a kind fail, or hang, beginning with the `first` from now on."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text(f"{int(call)} {error} {first} {ENDLESS}\n")
        fresh.rename(self.path)

    def end(self) -> None:
        """Let every call succeed again, and return."""
        self.path.unlink()

    def met_at_s(self) -> float:
        """When the first call of the last fault was met, as seconds of the wall clock."""
        return Path(f"{self.path}.met").stat().st_mtime


class ClockFrom:
    """Sets the wall clock of processes that were started with this file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.set(0)

    def set(self, wrong_by_s: int) -> None:
        """Let it be wrong by so much, now and until it is set again."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text(f"{wrong_by_s}\n")
        fresh.rename(self.path)


class Faults:
    """Within a preloaded process: which calls fail."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        self._library.shim_arm.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_long, ctypes.c_long)
        self._library.shim_failed.restype = ctypes.c_long

    def arm(self, call: Call, error: int, *, first: int, count: int) -> None:
        """Let `count` calls fail, beginning with the `first` from now on."""
        self._library.shim_arm(call, error, first, count)

    def failed(self) -> int:
        """How many calls have failed since `arm`."""
        return int(self._library.shim_failed())

    def end(self) -> None:
        """Let every call succeed again."""
        self._library.shim_disarm()


def mark(line: str) -> None:
    """Within a preloaded process: put a line between the writes and syncs in the log."""
    ctypes.CDLL(None).shim_mark(line.encode())
