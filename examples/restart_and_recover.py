"""A router is killed in the middle of things, and nothing that it acknowledged is lost.

python examples/restart_and_recover.py
"""

import asyncio
import signal
import socket
import sys
import tempfile

from router.client import ConnectionLost, connect


def free_port() -> int:
    """A port that the router keeps over its restart."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


async def start_router(folder: str, port: int) -> asyncio.subprocess.Process:
    """Start `clasp-router`, and return when it listens. Its journal is in ./clasp-journal.db."""
    program = "from router.cli import main; main()"
    router = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, "--listen", f"127.0.0.1:{port}"),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
    )
    assert router.stdout is not None
    async for line in router.stdout:
        if line.startswith(b"listening"):
            return router
    raise SystemExit("the router did not start")


async def main(folder: str) -> None:
    """Write, kill, start again, look."""
    port = free_port()
    router = await start_router(folder, port)
    # What the client cannot do meanwhile is logged; here it is expected.
    async with connect(f"ws://127.0.0.1:{port}", name="desk", on_error=lambda fault: None) as client:
        for level in range(1, 101):
            await client.set("/light/1/level", level / 100)
        follower = client.replay("/light/**", limit=1, newest=True, follow=True)
        print(f"before: {(await anext(follower)).value}, revision 100")

        router.send_signal(signal.SIGKILL)
        await router.wait()
        try:
            await client.set("/light/1/level", 0.0)
        except ConnectionLost as lost:
            print(f"meanwhile: {type(lost).__name__}")

        router = await start_router(folder, port)
        # The client comes back by itself, with its subscriptions and followers.
        await client.wait_connected()
        param = await client.get_param("/light/1/level")
        print(f"after: {param.value}, revision {param.revision}")
        print(f"next: revision {await client.set('/light/1/level', 0.0)}")
        print(f"followed: #{(await anext(follower)).seq}, incomplete: {follower.incomplete}")
    router.terminate()
    await router.wait()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as working_folder:
        asyncio.run(main(working_folder))
