"""What every test may lean on: how hard Hypothesis tries, and what to do when a tool is missing.

Laws: what is tested is what the files say, not an older build of them; a test never picks its own number of
examples, the profile does (`HYPOTHESIS_PROFILE`). A missing tool is a skip that names what to install; where
`CLASP_TEST_REQUIRE` is set, as in CI, it is a failure.
"""

import os
import shutil
import signal
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("default", max_examples=100, deadline=None)
settings.register_profile("ci", max_examples=50, deadline=None, derandomize=True)
settings.register_profile(
    "fuzz", max_examples=50_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

_EXIT_STATUS = pytest.StashKey[int]()


def require_tool(name: str, hint: str) -> str:
    """Return the path of an optional program, or end the test by naming what to install.

    Tests write `node = require_tool("node", "apt-get install nodejs npm")`, imported from `tests.conftest`.
    """
    found = shutil.which(name) or shutil.which(name, path=Path(sys.executable).parent)
    if found is not None:
        return found
    return missing_tool(f"{name} is not installed: {hint}")


def missing_tool(reason: str) -> str:
    """End the test: a failure where everything is required, a skip elsewhere."""
    if os.environ.get("CLASP_TEST_REQUIRE"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def pytest_configure(config: pytest.Config) -> None:
    """A compiled module hides its source: one that is older than it would be tested in its place.

    What a shell runs in the background ignores Ctrl-C, and so would every process that is started here.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for package in ("clasp_journal", "router"):
        for compiled in (config.rootpath / package).rglob("*.cpython-*.so"):
            source = compiled.with_name(compiled.name.partition(".")[0] + ".py")
            if source.exists() and source.stat().st_mtime > compiled.stat().st_mtime:
                raise pytest.UsageError(
                    f"{compiled.name} is older than its source: make compiled, or make pure"
                )


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remember how it ended, for `pytest_unconfigure`."""
    session.config.stash[_EXIT_STATUS] = int(exitstatus)


def pytest_unconfigure(config: pytest.Config) -> None:
    """A test that failed before it closed its journal leaves a thread that would keep the run from ending."""
    stuck = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    if any(not thread.daemon for thread in stuck):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash.get(_EXIT_STATUS, 1))
