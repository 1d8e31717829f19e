"""A desk for every test that asks for one."""

import pytest

from tests.router.core.desk import Desk


@pytest.fixture
def desk() -> Desk:
    """A core with default limits and lists for ports."""
    return Desk()
