"""The tool as its users run it: a process, with its streams on pipes or on a terminal."""

import asyncio
import os
import pty
import struct
import sys
import termios
from fcntl import ioctl
from pathlib import Path
from typing import NamedTuple

PATIENCE_S = 60
COMMAND = (sys.executable, "-W", "error", "-m", "clasp_journal")


class Result(NamedTuple):
    """How a call ended and what it said."""

    code: int
    out: str
    err: str


def environment(folder: Path, **more: str) -> dict[str, str]:
    """What the tool knows of the machine: no journal, the zone UTC, nothing that changes colours."""
    known = {name: text for name, text in os.environ.items() if not name.startswith(("CLASP_", "NO_COLOR"))}
    here = str(Path(__file__).parents[3])
    return known | {"TZ": "UTC", "PYTHONPATH": here, "TERM": "xterm-256color", "COLUMNS": "200"} | more


async def start(folder: Path, *arguments: str, **streams: object) -> asyncio.subprocess.Process:
    """The tool, running in a folder with its streams on pipes."""
    pipe = asyncio.subprocess.PIPE
    chosen = {"stdout": pipe, "stderr": pipe, "env": environment(folder)} | streams
    return await asyncio.create_subprocess_exec(*COMMAND, *arguments, cwd=folder, **chosen)


async def run(folder: Path, *arguments: str, **variables: str) -> Result:
    """Run it to its end, its streams on pipes."""
    process = await start(folder, *arguments, env=environment(folder, **variables))
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    return Result(process.returncode, out.decode(), err.decode())


async def run_all(folder: Path, *calls: tuple[str, ...]) -> list[Result]:
    """Run several calls beside each other."""
    return await asyncio.gather(*(run(folder, *call) for call in calls))


async def run_on_terminal(
    folder: Path, *arguments: str, columns: int = 120, stderr_too: bool = False, **variables: str
) -> Result:
    """Run it with stdout on a pseudo-terminal, and stderr too if that is asked for."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    known = environment(folder, **variables)
    del known["COLUMNS"]
    err = theirs if stderr_too else asyncio.subprocess.PIPE
    process = await start(folder, *arguments, stdout=theirs, stderr=err, stdin=theirs, env=known)
    os.close(theirs)
    async with asyncio.timeout(PATIENCE_S):
        shown, (_, told) = await asyncio.gather(asyncio.to_thread(_read_all, ours), process.communicate())
    return Result(process.returncode, shown.replace("\r\n", "\n"), (told or b"").decode())


def _read_all(terminal: int) -> str:
    """All that is shown; on Linux a terminal whose other end is closed reads as an error."""
    chunks = []
    try:
        while chunk := os.read(terminal, 65536):
            chunks.append(chunk)
    except OSError:
        pass
    os.close(terminal)
    return b"".join(chunks).decode()
