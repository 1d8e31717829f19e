"""A job in three steps, killed in the middle, goes on after the last step that it completed.

python examples/resume_a_job.py

The job remembers nothing itself: each completed step is a SET that is acknowledged when it is on the disk,
and the router's journal tells which was the last.
"""

import asyncio
import signal
import sys
import tempfile
from pathlib import Path

from clasp_journal import Author
from router import Address, Router, RouterConfig
from router.client import connect
from router.client.journal import RemoteJournal

NAME = "backup job"
STEPS = ("collect", "pack", "upload")
DONE = "/jobs/backup/done"
ON_DISK = 2


async def work(url: str, stuck_at: str) -> None:
    """Do the steps that are not done yet; one of them takes for ever."""
    async with connect(url, name=NAME) as client:
        me = Author(await RemoteJournal.open(client), NAME)
        last = await me.last_checkpoint(DONE)
        done = 0 if last is None else STEPS.index(str(last.value)) + 1
        print(f"completed so far: {done}; last entry: #{await me.latest_seq()}", flush=True)
        for step in STEPS[done:]:
            print(f"working: {step}", flush=True)
            if step == stuck_at:
                await asyncio.Event().wait()
            await client.set(DONE, step, qos=ON_DISK)
        completed = [f"#{entry.seq} {entry.value}" async for entry in me.checkpoints(DONE)]
        print("completed:", ", ".join(completed), flush=True)


async def run_job(url: str, stuck_at: str = "") -> None:
    """The job as a process of its own, which is killed where it is stuck."""
    command = (sys.executable, __file__, url, stuck_at)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async for line in process.stdout:
        said = line.decode().rstrip()
        print(said)
        if stuck_at and said == f"working: {stuck_at}":
            process.send_signal(signal.SIGKILL)
    print("killed" if await process.wait() == -signal.SIGKILL else "ended")


async def main() -> None:
    """A router, and the job twice."""
    with tempfile.TemporaryDirectory() as folder:
        config = RouterConfig(listen=Address("127.0.0.1", 0), journal=str(Path(folder) / "jobs.db"))
        async with Router(config) as router:
            await run_job(router.url, stuck_at="pack")
            await run_job(router.url)


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]) if len(sys.argv) > 1 else main())
