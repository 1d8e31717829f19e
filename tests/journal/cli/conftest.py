"""One evening for all tests that only read it."""

import asyncio

import pytest

from tests.journal.cli import evening


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    """The folder with the evening's file."""
    folder = tmp_path_factory.mktemp("evening")
    asyncio.run(evening.write(folder))
    return folder
