"""What the crash tests share: the compiled shim."""

import pytest

from tests.crash.shim import Shim


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Shim:
    """The shim, compiled once; without a compiler its tests are skipped."""
    return Shim(tmp_path_factory.mktemp("shim"))
