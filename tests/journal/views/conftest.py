"""What the tests of views share."""

from collections.abc import Iterator

import pytest

from clasp_journal.sqlite import viewing
from tests.journal.sqlite.making import Growing


@pytest.fixture(scope="module")
def growing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Growing]:
    """A journal that the examples of all properties of a module append to."""
    journal = Growing(tmp_path_factory.mktemp("growing") / "j.db")
    yield journal
    journal.close()


@pytest.fixture(scope="module")
def small_steps() -> Iterator[None]:
    """Limits so small that a few entries reach them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(viewing, "CAUGHT_UP_AT_ONCE", 4)
        patch.setattr(viewing, "READ_AT_ONCE", 2)
        patch.setattr(viewing, "CHANGES_MAX", 3)
        yield
