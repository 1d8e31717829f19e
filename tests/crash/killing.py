"""A process that does one work, and is killed in the middle of it."""

import signal
import subprocess
import sys
import time

from tests.crash.shim import PROJECT

BEGIN = "print('begin', flush=True)"
"""What a program that is to be killed says when its work begins."""


def was_killed_at_work(program: str, *arguments: str, after_s: float) -> bool:
    """Run a Python program, and kill it some time after it has said `begin`; whether it was still at work."""
    command = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"begin\n"
        time.sleep(after_s)  # paced: the moment of the kill is what is tried
        child.kill()
        return child.wait() == -signal.SIGKILL
