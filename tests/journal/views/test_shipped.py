"""The views that come with the house: what their rows say."""

import json
import math
import struct
from collections import Counter, defaultdict
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.analysis.activity import top, who
from clasp_journal.analysis.inquiry import Inquiry
from clasp_journal.entry import EntryKind, JournalEntry, SignalType
from clasp_journal.memory import MemoryJournal
from clasp_journal.restore import fold
from clasp_journal.views import SHIPPED, Addresses, Authors, Buckets, Kinds, Params
from tests.journal.sqlite.making import START_US
from tests.journal.views.making import a_level, anything

MINUTE_US = 60_000_000


def told(view, entries):
    """A view that was told some entries, and the rows of its first table by their keys."""
    for seq, entry in zip(count(1), entries, strict=False):
        view.apply(entry._replace(seq=seq))
    return {row.key: row.cells for row in view.tables[0].rows()}


@pytest.mark.property
@given(st.lists(anything, max_size=20))
def test_params_are_the_fold(entries):
    """Whatever the entries are."""
    live = fold(None, entries).live.values()
    assert told(Params(), entries) == {
        (param.address,): (param.encoded, param.revision, param.ttl, param.writer, param.timestamp)
        for param in live
    }


@pytest.mark.property
@given(st.lists(anything, max_size=20))
async def test_authors_are_those_of_who(entries):
    """The same sums, of the same messages."""
    async with MemoryJournal() as journal:
        await journal.append(entries)
        found = await who(journal, Inquiry())
    assert {
        key[0]: (tuple(json.loads(cells[0])), *cells[1:]) for key, cells in told(Authors(), entries).items()
    } == {one.author: tuple(one[1:]) for one in found}


@pytest.mark.property
@given(st.lists(anything, max_size=20))
async def test_addresses_are_those_of_top(entries):
    """The same sums; also the same rates, as long as times do not go back."""
    entries.sort(key=lambda entry: entry.timestamp)
    async with MemoryJournal() as journal:
        await journal.append(entries)
        found = await top(journal, Inquiry())
    shown = told(Addresses(), entries)
    assert {key[0]: (cells[0], *cells[3:5], *cells[7:]) for key, cells in shown.items()} == {
        one.address: tuple(one[1:]) for one in found
    }
    assert all(cells[1] + cells[2] == cells[0] for cells in shown.values())


def test_a_second_that_comes_again_is_counted_anew():
    """A clock that was set back makes no burst."""
    entries = [a_level(at) for at in (5, 5, 6, 5)]
    assert told(Addresses(), entries)[("/a",)][4] == 2


@pytest.mark.property
@given(st.lists(anything, max_size=20))
def test_buckets_hold_every_finite_number_in_its_minute(entries):
    """Of values and of samples; their total is that of adding them up one after the other."""
    numbers = defaultdict(list)
    for entry in entries:
        if entry.kind in (EntryKind.SET, EntryKind.PUBLISH):
            key = (entry.address, entry.timestamp - entry.timestamp % MINUTE_US)
            numbers[key] += finite_numbers(entry)
    for key, cells in told(Buckets(), entries).items():
        of_minute = numbers.pop(key)
        total = 0.0
        for number in of_minute:
            total += number
        expected = (len(of_minute), min(of_minute), max(of_minute), total, total / len(of_minute))
        assert repr(cells) == repr(expected)
    assert not any(numbers.values())


def finite_numbers(entry):
    """What can be drawn of an entry; zero has no sign."""
    found = []
    try:
        if type(entry.value) in (int, float):
            found.append(float(entry.value))
    except ValueError:
        pass
    samples = entry.samples or b""
    found += [struct.unpack(">d", samples[at : at + 8])[0] for at in range(0, len(samples) // 8 * 8, 8)]
    return [number or 0.0 for number in found if math.isfinite(number)]


def test_samples_count_one_by_one():
    """A stream that sends eight at once has eight."""
    meter = JournalEntry.from_publish("/m", None, timestamp=START_US, signal_type=SignalType.STREAM)
    meter = meter._replace(encoded=None, samples=struct.pack(">4d", 1.0, -2.0, math.nan, 4.0))
    [(count_, least, greatest, total, mean)] = told(Buckets(), [meter]).values()
    assert (count_, least, greatest, total, mean) == (3, -2.0, 4.0, 3.0, 1.0)


@pytest.mark.property
@given(st.lists(anything, max_size=20))
def test_kinds_count_every_entry(entries):
    """The unknown ones without a name."""
    shown = told(Kinds(), entries)
    assert {key[0]: cells[1] for key, cells in shown.items()} == Counter(int(entry.kind) for entry in entries)
    assert {key[0] for key, cells in shown.items() if cells[0] is None}.isdisjoint(map(int, EntryKind))


def test_every_view_says_what_it_is():
    """For the list of them."""
    assert all(view.about and view.name == name for name, view in SHIPPED.items())
