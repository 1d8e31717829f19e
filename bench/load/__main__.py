"""The generator's process: it hears one load per line, says when all are connected, and runs it on "go"."""

import gc
import json
import os
import sys
from dataclasses import asdict

from bench.load.form import Load
from bench.load.run import Run
from bench.servers.cores import LOAD_CORE, pin


def main() -> None:
    """Serve until nothing more is asked."""
    pin(os.getpid(), LOAD_CORE)
    gc.disable()
    for line in sys.stdin:
        run = Run(Load(**json.loads(line)))
        print("ready", flush=True)
        sys.stdin.readline()
        print(json.dumps(asdict(run.go())), flush=True)
        run.close()


if __name__ == "__main__":
    main()
