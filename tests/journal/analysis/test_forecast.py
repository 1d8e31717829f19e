"""How fast a journal grows, and when that is too much for its disk."""

import pytest

from clasp_journal.analysis.forecast import DAY_S, Growth, forecast, full_at_us
from clasp_journal.memory import MemoryJournal
from clasp_journal.testing.samples import START_US, a_series

HOUR_US = 3_600_000_000
DAY_US = DAY_S * 1_000_000


async def journal_of(*hours):
    """One with an entry at each of these hours."""
    journal = MemoryJournal()
    entries = a_series(len(hours))
    await journal.append(
        [
            one._replace(timestamp=START_US + round(hour * HOUR_US))
            for one, hour in zip(entries, hours, strict=True)
        ]
    )
    return journal


async def test_the_last_day_tells_the_rate():
    """What was written long before, fast or not, says nothing about tomorrow."""
    async with await journal_of(-500, -499.9, -499.8, 0, 6, 12, 18, 24) as journal:
        growth = await forecast(journal, size_bytes=800)
    assert growth == Growth(entries_per_day=4, bytes_per_day=400)


@pytest.mark.parametrize("hours", [(), (1,), (1, 1), (-48, 0, 0.01)])
async def test_too_little_tells_nothing(hours):
    """Of the last day, less than a minute is there."""
    async with await journal_of(*hours) as journal:
        assert await forecast(journal, size_bytes=800) is None


def test_a_disk_is_full_when_its_room_is_used_up():
    """Half a day's room is used up after half a day."""
    assert full_at_us(Growth(10, 1000), 500, START_US) == START_US + DAY_US // 2


@pytest.mark.parametrize("growth", [None, Growth(0, 0), Growth(10, 1000)])
def test_a_disk_without_room_is_full_now(growth):
    """However little is known of how the journal grows."""
    assert full_at_us(growth, 0, START_US) == START_US


@pytest.mark.parametrize("bytes_per_day", [0, 0.5])
def test_what_nobody_alive_will_see_is_not_told(bytes_per_day):
    """A century from now, or never."""
    assert full_at_us(Growth(1, bytes_per_day), 1 << 20, START_US) is None
