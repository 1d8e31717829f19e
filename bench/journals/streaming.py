"""Stream a journal from end to end in a process of its own, and print by how many bytes that made it grow."""

import asyncio
import resource
import sys
from pathlib import Path

from clasp_journal.opening import open_journal

STATUS = Path("/proc/self/status")


def peak_bytes() -> int:
    """The most memory that this process ever had resident."""
    if STATUS.exists():
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    # Elsewhere the figure may include what the parent had before it started this process.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


async def stream(path: str) -> tuple[int, int]:
    """How many entries there were, and by how much the peak rose after the first of them."""
    count = before = 0
    async with await open_journal(path, read_only=True) as journal:
        async for _ in journal.query():
            if not count:
                before = peak_bytes()
            count += 1
    return count, peak_bytes() - before


if __name__ == "__main__":
    print(*asyncio.run(stream(sys.argv[1])))
