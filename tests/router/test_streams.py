"""The daemon started as some scripts do it: without the streams that every process has."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from tests.e2e.router_process import look_until

PATIENCE_S = 60


@pytest.mark.parametrize("missing", [(1,), (2,), (0, 1, 2)], ids=str)
def test_no_stream_has_to_be_there(tmp_path, missing):
    """It serves, and ends well; its journal does not get the number of a stream."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [sys.executable, "-m", "router", "-p", str(port), "--journal", str(tmp_path / "show.db")]
    router = subprocess.Popen(command, preexec_fn=lambda: [os.close(stream) for stream in missing])
    try:
        look_until(lambda: is_ready(port) or router.poll() is not None)
        router.send_signal(signal.SIGTERM)
        assert router.wait(PATIENCE_S) == 0
    finally:
        router.kill()


def is_ready(port):
    """Whether a router answers there that it is."""
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as asking:
            asking.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return asking.recv(12).endswith(b" 200")
    except ConnectionError:
        return False
