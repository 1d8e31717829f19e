"""Exports and imports: the same entries, to the bit, or nothing at all."""

import asyncio
import io
import json
import re
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal import EntryKind, JournalEntry, MemoryJournal, Phase, SignalType, SqliteJournal
from clasp_journal import value as values
from clasp_journal.acting.importing import Numbering, import_entries
from clasp_journal.acting.reading import ImportFault
from clasp_journal.acting.transfer import FORMATS, Form, export_entries
from clasp_journal.forgetting import IMPORTED

texts = st.text(max_size=20)
names = st.none() | texts | st.sampled_from(['"', '"x"', "null", " ", "1", "a\nb", "a\r", "\x00", ","])
numbers = st.integers(0, 2**32 - 1)
plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    texts,
    st.binary(max_size=20),
)
any_values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
dollars = st.dictionaries(st.sampled_from(["$bytes", "$float", "$map", "$", "a"]), plain, max_size=3)
unusual = st.sampled_from(
    [b"\x02\x05", b"\x03\x00\x05", b"\x04\x00\x00\x00\x05", b"\x06" + struct.pack(">f", 0.5), b"\x01\x02"]
)
encoded_values = (any_values | dollars).map(values.encode) | unusual
addresses = texts.map(lambda text: "/" + text.replace("/", "-"))


@st.composite
def entries(draw):
    """An entry of any kind, with anything that it may carry."""
    kind = draw(st.sampled_from(EntryKind))
    is_message = kind in (EntryKind.SET, EntryKind.PUBLISH)
    optional = st.none() | encoded_values
    return JournalEntry(
        timestamp=draw(st.integers(0, 2**62)),
        author=draw(texts),
        address=draw(addresses) if is_message or kind is EntryKind.EXPIRE else "",
        kind=kind,
        signal_type=draw(st.sampled_from(SignalType)) if is_message else None,
        encoded=draw(encoded_values if kind is EntryKind.SET else optional),
        revision=draw(st.none() | st.integers(0, 2**62)),
        ttl=draw(st.none() | numbers),
        samples=draw(st.none() | st.lists(st.binary(min_size=8, max_size=8), max_size=4).map(b"".join)),
        rate=draw(st.none() | numbers),
        gesture_id=draw(st.none() | numbers),
        phase=draw(st.none() | st.sampled_from(Phase)),
        sent=draw(st.none() | st.integers(0, 2**62)),
        name=draw(names),
        details=draw(st.none() | st.dictionaries(texts, plain, max_size=3).map(values.encode)),
    )


async def exported(journal, form, **how):
    """The text of an export of everything."""
    file = io.StringIO(newline="")
    await export_entries(journal.query().pages(), file, Form(form, **how))
    return file.getvalue()


def as_imported(entry):
    """What tells of numbers of where it happened says so; all else is the same to the bit."""
    if entry.kind not in (EntryKind.FORGET, EntryKind.REMOVED):
        return entry
    details = values.decode(entry.details) if entry.details is not None else {}
    return entry._replace(details=values.encode({**details, IMPORTED: True}))


@pytest.mark.property
@pytest.mark.parametrize("form", FORMATS)
@given(written=st.lists(entries(), max_size=5), with_digests=st.booleans())
def test_what_is_exported_and_imported_is_the_same(tmp_path_factory, form, written, with_digests):
    """Entry by entry, bit by bit, number by number."""

    async def there_and_back():
        path = tmp_path_factory.mktemp("export") / f"entries.{form}"
        async with MemoryJournal() as first, MemoryJournal() as second, MemoryJournal() as third:
            await first.append(written)
            text = await exported(first, form, with_digests=with_digests)
            path.write_text(text, encoding="utf-8", newline="")
            imported = await import_entries(second, str(path))
            assert imported.entries == len(written)
            assert await second.query() == [as_imported(entry) for entry in await first.query()]
            await import_entries(third, str(path), numbering=Numbering.KEEP)
            assert await third.query() == await first.query()

    asyncio.run(there_and_back())


GOOD = '{"timestamp": 1, "op": "set", "address": "/a", "signal": "param", "value": 1}'


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (f"{GOOD}\n{{", 2, "no JSON"),
        (f"{GOOD}\n\n[]", 3, "no JSON object"),
        (f"{GOOD}\n{GOOD}\nnonsense", 3, "no JSON"),
        ('{"op": "set", "address": "/a", "value": 1}', 1, "timestamp"),
        ('{"timestamp": 1, "op": "sit", "address": "/a"}', 1, "entry: 'sit' is missing or unknown"),
        ('{"timestamp": 1, "address": "/a"}', 1, "entry: 'op' is missing"),
        ('{"timestamp": 1, "op": "set", "address": "a", "value": 1}', 1, "must start with '/'"),
        ('{"timestamp": 1, "op": "set", "address": "/a"}', 1, "value"),
        ('{"timestamp": 1, "op": "publish", "address": "/a", "value": 1}', 1, "signal"),
        ('{"timestamp": "x", "op": "set", "address": "/a", "value": 1}', 1, "no integer"),
        ('{"timestamp": 1, "op": "set", "address": "/a", "value": {"$bytes": "?"}}', 1, "base64"),
        (f"{GOOD}\n" + GOOD.replace('"value": 1', f'"value": {2**64}'), 2, "integer"),
        (f"{GOOD}\n" + GOOD.replace('"timestamp": 1', f'"timestamp": {2**70}'), 2, "fit"),
        ("seq,address\n1,/a", 1, "missing"),
        ("timestamp,op,address,signal,value\n1,set,/a,param,1\n2,set", 3, "2 cells in 5 columns"),
        ("timestamp,op,address,signal,value\n1,set,/a,param,?", 2, "a cell"),
        ("timestamp,op,address,op\n1,set,/a,set", 1, "twice"),
        ('timestamp,op,address\n1,set,"/a', 2, "end of data"),
        (f"[\n{GOOD},\n{GOOD}\n", 4, "] is missing before the end"),
        (f"[\n{GOOD}\n{GOOD}]", 3, "] is missing before {"),
        (f"[\n{GOOD},\n]", 3, "no JSON"),
        (f"[{GOOD},\n\n7]", 3, "no JSON object"),
        (f"[{GOOD}]\n{GOOD}", 2, "follows the end"),
        ('[\n{"timestamp": 1,\n"op" "set"}]', 3, "no JSON"),
        ("[" * 50_000, 1, "no JSON"),
        (f"[{GOOD},\n{GOOD.replace('/a', 'a')}]", 2, "must start with '/'"),
        (GOOD.replace("{", '{"seq": -1, ', 1), 1, "`seq`"),
        (GOOD.replace("{", '{"digest": "00", ', 1), 1, "digest"),
        (GOOD.replace("{", '{"author": 7, ', 1), 1, "no text"),
        (GOOD.replace("{", '{"author": "\\ud800", ', 1), 1, "surrogates"),
        (GOOD.replace("{", '{"ttl": 1.5, ', 1), 1, "no integer"),
        (GOOD.replace("{", '{"phase": "over", ', 1), 1, "OVER"),
        (GOOD.replace("{", '{"encoded": "/w==", ', 1), 1, "0xff is not assigned"),
        (GOOD.replace("{", '{"samples": ["x"], ', 1), 1, "no entry"),
    ],
)
async def test_a_file_that_is_no_export_changes_nothing(tmp_path, text, line, reason):
    """The line and the reason are named, and what stood before it was not imported either."""
    (tmp_path / "bad").write_text(text)
    async with SqliteJournal(tmp_path / "a.db") as journal:
        await journal.append(JournalEntry.from_set("/kept", 1, timestamp=1))
        with pytest.raises(ImportFault, match=reason) as fault:
            await import_entries(journal, str(tmp_path / "bad"))
        assert fault.value.line == line
        assert re.findall(r"\bline (\d+)", str(fault.value)) == [str(line)]
        assert await journal.latest_seq() == 1
        assert await journal.append(JournalEntry.from_set("/kept", 2, timestamp=2)) == 2


@pytest.mark.parametrize("content", [b"\xff\xfe{", GOOD.encode() + b"\n\xff\n"])
async def test_bytes_that_are_no_text_are_named(tmp_path, content):
    """A file from elsewhere is not guessed at."""
    (tmp_path / "bad").write_bytes(content)
    async with SqliteJournal(tmp_path / "a.db") as journal:
        with pytest.raises(ImportFault, match="UTF-8"):
            await import_entries(journal, str(tmp_path / "bad"))
        assert await journal.latest_seq() == 0


async def test_an_import_that_is_cancelled_changes_nothing(tmp_path):
    """It stops where it is, and takes back what it had done."""
    lines = "\n".join([GOOD] * 20_000)
    (tmp_path / "many.jsonl").write_text(lines)
    loop, begun = asyncio.get_running_loop(), asyncio.Event()
    async with SqliteJournal(tmp_path / "a.db") as journal:
        task = asyncio.create_task(
            import_entries(
                journal,
                str(tmp_path / "many.jsonl"),
                on_progress=lambda count: loop.call_soon_threadsafe(begun.set),
            )
        )
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await journal.latest_seq() == 0


async def test_an_import_is_numbered_behind_what_is_there(tmp_path):
    """The numbers of the file mean nothing to the journal; its epoch stays."""
    (tmp_path / "one.jsonl").write_text(GOOD.replace("{", '{"seq": 77, ', 1))
    async with SqliteJournal(tmp_path / "a.db") as journal:
        await journal.append(JournalEntry.from_set("/kept", 1, timestamp=1))
        epoch = journal.epoch
        imported = await import_entries(journal, str(tmp_path / "one.jsonl"))
        assert (imported.first_seq, imported.last_seq) == (2, 2)
        assert journal.epoch == epoch


async def test_an_empty_file_imports_nothing(tmp_path):
    """An export of nothing is an export."""
    (tmp_path / "empty").write_text("")
    async with MemoryJournal() as journal:
        assert (await import_entries(journal, str(tmp_path / "empty"))).entries == 0


def numbered(*seqs):
    """Lines with these numbers."""
    return "\n".join(GOOD.replace("{", f'{{"seq": {seq}, ', 1) for seq in seqs)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (numbered(2, 3), 1, "entry 2 in the journal already"),
        (numbered(5), 1, "entry 4 is missing before 5"),
        (numbered(4, 5, 7), 3, "entry 6 is missing before 7"),
        (numbered(4, 5, 4), 3, "entry 4 before it in the file already"),
        (f"{numbered(4)}\n{GOOD}", 2, "no number"),
    ],
)
async def test_numbers_that_are_to_be_kept_have_to_fit(tmp_path, text, line, reason):
    """None is given twice, and none is left out."""
    (tmp_path / "a.jsonl").write_text(text)
    async with SqliteJournal(tmp_path / "a.db") as journal:
        await journal.append([JournalEntry.from_set("/kept", n, timestamp=n) for n in range(3)])
        with pytest.raises(ImportFault, match=reason) as fault:
            await import_entries(journal, str(tmp_path / "a.jsonl"), numbering=Numbering.KEEP)
        assert fault.value.line == line
        assert await journal.latest_seq() == 3


@pytest.mark.parametrize("first", [1, 4, 70])
async def test_kept_numbers_go_on_where_the_journal_ends(tmp_path, first):
    """A journal comes over in parts; one that never had an entry begins with any number."""
    (tmp_path / "one.jsonl").write_text(numbered(first, first + 1))
    (tmp_path / "two.jsonl").write_text(numbered(first + 2))
    async with SqliteJournal(tmp_path / "a.db") as journal:
        for part, seqs in (("one", (first, first + 1)), ("two", (first + 2, first + 2))):
            path = str(tmp_path / f"{part}.jsonl")
            assert tuple(await import_entries(journal, path, numbering=Numbering.KEEP)) == seqs
    async with SqliteJournal(tmp_path / "a.db") as journal:
        assert [entry.seq for entry in await journal.query()] == [first, first + 1, first + 2]
        assert (await journal.verify()).is_intact


async def test_a_bad_line_behind_a_high_number_changes_nothing(tmp_path):
    """The way in which a journal begins with another number than 1 is all or nothing, too."""
    (tmp_path / "a.jsonl").write_text(f"{numbered(70, 71)}\nnonsense")
    async with SqliteJournal(tmp_path / "a.db") as journal:
        with pytest.raises(ImportFault, match="no JSON") as fault:
            await import_entries(journal, str(tmp_path / "a.jsonl"), numbering=Numbering.KEEP)
        assert fault.value.line == 3
        assert (await journal.latest_seq(), await journal.len()) == (0, 0)


async def test_an_entry_that_was_changed_does_not_match_its_digest(tmp_path):
    """Who exports with digests finds out."""
    async with MemoryJournal() as journal:
        await journal.append([JournalEntry.from_set("/a", n, timestamp=n) for n in (10, 11, 12)])
        text = await exported(journal, "jsonl", with_digests=True)
        (tmp_path / "a.jsonl").write_text(text.replace('"value": 11', '"value": 13'))
        with pytest.raises(ImportFault, match="digest") as fault:
            await import_entries(journal, str(tmp_path / "a.jsonl"))
        assert fault.value.line == 2


async def test_what_was_forgotten_elsewhere_is_not_forgotten_here(tmp_path):
    """Blanks and acts that come in with other numbers hide nothing, and remove nothing."""
    async with SqliteJournal(tmp_path / "a.db") as first, SqliteJournal(tmp_path / "b.db") as second:
        await first.append([JournalEntry.from_set("/a", n, author="desk", timestamp=n) for n in range(5)])
        await first.forget("desk")
        (tmp_path / "a.jsonl").write_text(await exported(first, "jsonl"))
        await second.append([JournalEntry.from_set("/b", n, author="desk", timestamp=n) for n in range(3)])
        await import_entries(second, str(tmp_path / "a.jsonl"))
        assert [entry.value for entry in await second.query(author="desk")] == [0, 1, 2]
        assert (await second.state()).live["/b"].value == 2
        assert (await second.verify()).is_intact


async def test_an_array_may_stand_in_one_line_or_in_many(tmp_path):
    """However another program writes it, and longer than what is read at once."""
    loaded = {"timestamp": 1, "op": "set", "signal": "param", "address": "/a", "value": "x" * 60_000}
    async with MemoryJournal() as journal:
        for indent in (None, 4):
            (tmp_path / "a.json").write_text(json.dumps([loaded] * 5, indent=indent))
            await import_entries(journal, str(tmp_path / "a.json"))
        assert [len(entry.value) for entry in await journal.query()] == [60_000] * 10
