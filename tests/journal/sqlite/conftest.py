"""What the tests of the SQLite backend share."""

from collections.abc import Iterator

import pytest

from tests.journal.sqlite.making import Growing


@pytest.fixture(scope="module")
def growing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Growing]:
    """A journal that the examples of all properties of a module append to."""
    journal = Growing(tmp_path_factory.mktemp("growing") / "j.db")
    yield journal
    journal.close()
