"""A file of tokens for every test that asks for one."""

from pathlib import Path

import pytest

from tests.router.auth.keys import Keys


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """A file with no token in it yet."""
    return Keys(tmp_path)
