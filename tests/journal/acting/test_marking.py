"""Names for instants."""

import pytest

from clasp_journal import MemoryJournal
from clasp_journal.acting.marking import mark
from clasp_journal.analysis.marks import find_mark, marks
from clasp_journal.errors import BadInput


async def test_a_mark_is_found_by_its_name():
    """The last of several with one name is meant; what it says is kept."""
    async with MemoryJournal() as journal:
        await mark(journal, "doors-open", "early", at_us=1_000)
        await mark(journal, "doors-open", at_us=2_000, author="tom")
        found = await find_mark(journal, "doors-open")
        assert (found.at_us, found.author, found.message) == (2_000, "tom", None)
        assert [each.message for each in await marks(journal)] == ["early", None]


@pytest.mark.parametrize("name", ["", " a", "a\n", "\x1b[0m", "x" * 201])
async def test_what_cannot_be_typed_is_no_name(name):
    """It could not be named on a command line, or would disturb a terminal."""
    async with MemoryJournal() as journal:
        with pytest.raises(BadInput, match="examples"):
            await mark(journal, name)
        assert await journal.latest_seq() == 0


async def test_a_mark_says_what_fits_into_an_answer():
    """A page is not."""
    async with MemoryJournal() as journal:
        with pytest.raises(BadInput, match="bytes"):
            await mark(journal, "a", "x" * 10_001)
