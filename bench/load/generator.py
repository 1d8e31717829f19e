"""The generator as a scenario sees it: a process on a core of its own that runs one load after the other."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.load.form import Load, Result

ROOT = Path(__file__).parents[2]


class Generator:
    """A context manager; `prepare` connects everybody, `go` runs it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.load"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error:
            self._process.kill()
        self._process.communicate()

    def prepare(self, load: Load) -> None:
        """Connect everybody that a load needs."""
        self._say(json.dumps(asdict(load)))
        self._hear()

    def start(self) -> None:
        """Begin, and do not wait."""
        self._say("go")

    def finish(self) -> Result:
        """Wait for the end of what was begun."""
        return Result(**json.loads(self._hear()))

    def go(self) -> Result:
        """Begin and wait."""
        self.start()
        return self.finish()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the load generator failed with exit code {self._process.wait()}")
        return line
