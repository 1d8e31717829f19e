"""Random evenings and random inquiries, and plain definitions of what the answers are."""

from collections import Counter
from dataclasses import replace

from hypothesis import strategies as st

from clasp_journal.address import Pattern
from clasp_journal.analysis.inquiry import Inquiry
from clasp_journal.entry import EntryKind, JournalEntry, SignalType
from clasp_journal.journal import Span
from clasp_journal.memory import MemoryJournal
from clasp_journal.testing.samples import START_US
from clasp_journal.value import encode

ADDRESSES = ["/a", "/a/b", "/a/c", "/d", "/d/e/f"]
PATTERNS = ["/**", "/a", "/a/*", "/a/**", "/*", "/d/**", "/**/f", "/none"]


@st.composite
def entries(draw):
    """One entry; small choices, so that much coincides."""
    kind = draw(
        st.sampled_from([EntryKind.SET, EntryKind.SET, EntryKind.PUBLISH, EntryKind.EXPIRE, EntryKind.MARK])
    )
    is_message = kind in (EntryKind.SET, EntryKind.PUBLISH)
    is_set = kind == EntryKind.SET
    return JournalEntry(
        START_US + draw(st.integers(0, 3_000_000)),
        draw(st.sampled_from(["one", "two"])),
        "" if kind == EntryKind.MARK else draw(st.sampled_from(ADDRESSES)),
        kind,
        (SignalType.PARAM if is_set else draw(st.sampled_from(SignalType))) if is_message else None,
        encode(draw(st.integers(0, 2))) if is_message else None,
        draw(st.integers(1, 5)) if is_set else None,
        name=draw(st.sampled_from([None, "desk"])),
    )


def evenings():
    """Some entries, numbered as a journal does."""
    drawn = st.lists(entries(), max_size=40)
    return drawn.map(lambda some: [entry._replace(seq=seq) for seq, entry in enumerate(some, start=1)])


def _patterns():
    return st.lists(st.sampled_from(PATTERNS).map(Pattern.parse), max_size=3).map(tuple)


def _subsets(choices):
    return st.none() | st.frozensets(st.sampled_from(choices), min_size=1, max_size=2)


def inquiries():
    """What somebody could ask."""
    times = st.none() | st.integers(START_US, START_US + 3_000_000)
    return st.builds(
        Inquiry,
        patterns=_patterns(),
        excluded=st.lists(st.sampled_from(PATTERNS[1:]).map(Pattern.parse), max_size=1).map(tuple),
        from_us=times,
        to_us=times,
        span=st.builds(Span, st.integers(0, 20), st.none() | st.integers(5, 50)),
        types=_subsets(list(SignalType)),
        kinds=_subsets([int(kind) for kind in (EntryKind.SET, EntryKind.PUBLISH, EntryKind.MARK)]),
        author=st.sampled_from([None, "one", "desk"]),
        tests=st.sampled_from([(), (lambda entry: entry.seq % 2 == 0,)]),
    )


def answer(evening, inquiry):
    """The definition: all that is wanted, in order."""
    after, upto = inquiry.span
    patterns = inquiry.patterns or (Pattern.parse("/**"),)
    return [
        entry
        for entry in evening
        if after < entry.seq <= (upto or len(evening))
        and (inquiry.from_us is None or entry.timestamp >= inquiry.from_us)
        and (inquiry.to_us is None or entry.timestamp <= inquiry.to_us)
        and any(p.text == "/**" or (entry.address and p.matches(entry.address)) for p in patterns)
        and not any(entry.address and p.matches(entry.address) for p in inquiry.excluded)
        and (inquiry.types is None or entry.signal_type in inquiry.types)
        and (inquiry.kinds is None or entry.kind in inquiry.kinds)
        and (inquiry.author is None or inquiry.author in (entry.author, entry.name))
        and all(test(entry) for test in inquiry.tests)
    ]


def changes(evening):
    """The numbers of the entries whose content is another than that of the one before at their address."""
    last, found = {}, set()
    for entry in evening:
        content = (entry.encoded, entry.samples, entry.details)
        if not entry.address or last.get(entry.address) != content:
            found.add(entry.seq)
        last[entry.address] = content
    return found


def messages(evening, inquiry):
    """Those that are counted: SET and PUBLISH, unless other kinds are named."""
    kinds = inquiry.kinds or {int(EntryKind.SET), int(EntryKind.PUBLISH)}
    return answer(evening, replace(inquiry, kinds=kinds))


def by_author(evening, inquiry):
    """How many messages each author sent."""
    return Counter(entry.author for entry in messages(evening, inquiry))


async def journal_of(evening):
    """A journal with this evening."""
    journal = MemoryJournal()
    await journal.append(evening)
    return journal
