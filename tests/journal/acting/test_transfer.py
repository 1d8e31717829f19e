"""Exports and imports: the same entries, to the bit, or nothing at all."""

import asyncio
import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal import EntryKind, JournalEntry, MemoryJournal, Phase, SignalType, SqliteJournal
from clasp_journal import value as values
from clasp_journal.acting.transfer import FORMATS, ImportFault, export_entries, import_entries

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


async def exported(journal, form):
    """The text of an export of everything."""
    file = io.StringIO(newline="")
    await export_entries(journal.query().pages(), file, form)
    return file.getvalue()


@pytest.mark.property
@pytest.mark.parametrize("form", FORMATS)
@given(written=st.lists(entries(), max_size=5))
def test_what_is_exported_and_imported_is_the_same(tmp_path_factory, form, written):
    """Entry by entry, bit by bit, number by number."""

    async def there_and_back():
        path = tmp_path_factory.mktemp("export") / f"entries.{form}"
        async with MemoryJournal() as first, MemoryJournal() as second:
            await first.append(written)
            path.write_text(await exported(first, form), encoding="utf-8", newline="")
            imported = await import_entries(second, str(path))
            assert imported.entries == len(written)
            assert await second.query() == await first.query()

    asyncio.run(there_and_back())


GOOD = '{"timestamp": 1, "op": "set", "address": "/a", "signal": "param", "value": 1}'


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (f"{GOOD}\n{{", 2, "no JSON"),
        (f"{GOOD}\n\n[]", 3, "no JSON object"),
        (f"{GOOD}\n{GOOD}\nnonsense", 3, "no JSON"),
        ('{"op": "set", "address": "/a", "value": 1}', 1, "timestamp"),
        ('{"timestamp": 1, "op": "sit", "address": "/a"}', 1, "sit"),
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
        assert f"line {line}" in str(fault.value)
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
