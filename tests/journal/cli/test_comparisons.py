"""`--where`: what each comparison lets pass."""

import pytest

from clasp_journal.cli.grammar.comparisons import parse_comparison
from clasp_journal.entry import EntryKind, JournalEntry, SignalType
from clasp_journal.errors import BadInput


def was_set(value, revision=1):
    """A SET of a value."""
    return JournalEntry.from_set("/a", value, author="desk", timestamp=1, revision=revision)


EVENT = JournalEntry(1, "pad", "/b", EntryKind.PUBLISH, SignalType.EVENT)
NAMED = EVENT._replace(name="desk")
MARK = JournalEntry(1, "pad", "", EntryKind.MARK)


@pytest.mark.parametrize(
    ("text", "passing", "refused"),
    [
        ("value > 0.9", [was_set(1), was_set(0.91)], [was_set(0.9), was_set("z"), was_set(True), EVENT]),
        ("value>=1", [was_set(1), was_set(1.0)], [was_set(float("nan")), was_set([2])]),
        ("value == 1", [was_set(1), was_set(1.0)], [was_set(True), was_set("1"), EVENT]),
        ('value == "1"', [was_set("1")], [was_set(1)]),
        ("value = on", [was_set("on")], [was_set("off"), was_set(None)]),
        ("value == null", [was_set(None)], [was_set(0), EVENT]),
        ("value == true", [was_set(True)], [was_set(1), was_set(False)]),
        ("value != 1", [was_set(2), was_set("1"), was_set(True), EVENT], [was_set(1), was_set(1.0)]),
        ("value < m", [was_set("a")], [was_set("z"), was_set(1)]),
        ("value == [1, 2]", [was_set([1, 2])], [was_set([2, 1])]),
        ("value < [3]", [], [was_set([1, 2])]),
        ("revision > 4", [was_set(0, 5)], [was_set(0, 4), EVENT]),
        ("author == desk", [was_set(0), NAMED], [EVENT]),
        ("author == pad", [EVENT, NAMED], [was_set(0)]),
        ("author != desk", [EVENT], [was_set(0), NAMED]),
        ("signal != param", [EVENT, MARK], [was_set(0)]),
        ("signal == event", [EVENT], [MARK, was_set(0)]),
    ],
)
def test_a_comparison_holds_between_things_of_one_kind(text, passing, refused):
    """Numbers with numbers, texts with texts; what is absent or of another kind only differs."""
    test = parse_comparison(text)
    assert [test(entry) for entry in passing] == [True] * len(passing)
    assert [test(entry) for entry in refused] == [False] * len(refused)


@pytest.mark.parametrize(
    "text",
    ["value > 0.9 and value < 2", "value > ", 'value == "on', "value == a==b", "value > 1, revision > 2"],
)
def test_what_is_more_or_less_than_one_comparison_is_refused(text):
    """It is not taken for a text that nothing is equal to."""
    with pytest.raises(BadInput, match="several --where"):
        parse_comparison(text)
