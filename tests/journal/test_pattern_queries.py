"""A query picks the addresses that `Pattern.matches` picks, for every row of the address vectors."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from clasp_journal.address import Pattern, parse_address
from clasp_journal.entry import JournalEntry
from clasp_journal.errors import AddressError, PatternError
from tests.journal.backends import BACKENDS

VECTORS = Path(__file__).parents[1] / "vectors" / "addresses.json"
ROWS: list[dict[str, str]] = json.loads(VECTORS.read_text(encoding="utf-8"))


def is_valid(parse: Callable[[str], object], text: str) -> bool:
    """Whether a text can be an address or a pattern at all."""
    try:
        parse(text)
    except (AddressError, PatternError):
        return False
    return True


@pytest.mark.parametrize("backend_name", BACKENDS)
async def test_every_row_means_the_same_in_a_query(backend_name: str, tmp_path: Path) -> None:
    """All addresses lie in one journal, so that what must not be found is there to be found."""
    addresses = sorted({row["address"] for row in ROWS if is_valid(parse_address, row["address"])})
    async with await BACKENDS[backend_name](tmp_path).make() as journal:
        await journal.append(JournalEntry.from_set(a, n, timestamp=n) for n, a in enumerate(addresses * 2))
        for row in ROWS:
            text, address = row["pattern"], row["address"]
            if not is_valid(Pattern.parse, text):
                with pytest.raises(PatternError):
                    journal.query(text)
                continue
            pattern = Pattern.parse(text)
            found = [entry.address for entry in await journal.query(text)]
            assert found == [a for a in addresses * 2 if pattern.matches(a)], text
            latest = await journal.query(text, limit=1, newest=True)
            assert [entry.address for entry in latest] == found[-1:], text
            if address in addresses:
                assert (address in found) == pattern.matches(address), row


def test_the_rows_try_both_answers() -> None:
    """A table that only says yes, or only no, would prove nothing."""
    answers = [
        Pattern.parse(row["pattern"]).matches(row["address"])
        for row in ROWS
        if is_valid(parse_address, row["address"]) and is_valid(Pattern.parse, row["pattern"])
    ]
    assert answers.count(True) > 50
    assert answers.count(False) > 50
