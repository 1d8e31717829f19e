"""What the writing end of a mirror takes, refuses and takes back."""

import errno
import gzip
import os
import sqlite3
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest

from clasp_journal.errors import JournalCorrupt, JournalError, JournalLocked, JournalUnavailable
from clasp_journal.mirror import Mirror, MirrorOptions, MirrorRefused, verify_chain
from clasp_journal.mirror.segments import all_segments, closed_segments
from clasp_journal.sqlite.schema import ENTRY_COLUMNS
from tests.conftest import missing_tool
from tests.crash.model import entry_at
from tests.journal.mirror.stage import Files, entries_from, recorded


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Where a journal and its mirror are to be."""
    return Files(tmp_path)


@pytest.fixture
def mirror(files: Files):
    """A mirror without a journal, begun."""
    with Mirror(MirrorOptions(str(files.mirror))) as opened:
        opened.begin("an-epoch")
        yield opened


def test_an_entry_is_mirrored_once(mirror: Mirror) -> None:
    """The same entry again changes nothing; another one with its number, or a gap, is refused."""
    assert mirror.mirror_one(entry_at(1))
    assert mirror.mirror_one(entry_at(2), synced=True)
    before = Path(mirror.path).read_bytes()
    assert not mirror.mirror_one(entry_at(1))
    for wrong in (entry_at(3)._replace(seq=1), entry_at(4)):
        with pytest.raises(MirrorRefused):
            mirror.mirror_one(wrong)
    assert Path(mirror.path).read_bytes() == before
    assert mirror.mirror_one(entry_at(3))
    assert verify_chain(mirror.path).entries == 3


@pytest.mark.parametrize("check", ["end", "all"])
def test_a_chain_that_is_broken_long_before_its_end_is_refused_where_all_is_checked(files: Files, check: str):
    """The end alone does not tell; a mirror that is to be checked whole is not opened."""
    options = MirrorOptions(str(files.mirror), check=check)
    with Mirror(options) as opened:
        opened.begin("an-epoch")
        for seq in range(1, 12_000):
            opened.mirror_one(entry_at(seq))
    content = bytearray(files.mirror.read_bytes())
    at = content.index(b'"seq":17')
    content[at + 7 : at + 8] = b"8"
    files.mirror.write_bytes(content)
    if check == "end":
        Mirror(options).release()
        return
    with pytest.raises(JournalCorrupt, match=r"line 1\d of the mirror"):
        Mirror(options)
    # The lock was given back.
    Mirror(options._replace(check="end")).release()


def test_several_entries_are_mirrored_as_one(mirror: Mirror) -> None:
    """In a transaction all of them are there, or, after an exception of the caller, none."""
    with mirror.transaction() as lines:
        assert lines.mirror_one(entry_at(1))
        assert lines.mirror_one(entry_at(2))

    def commit_fails() -> None:
        with mirror.transaction() as lines:
            lines.mirror_one(entry_at(3))
            lines.seal()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        commit_fails()
    found = verify_chain(mirror.path)
    assert (found.last_seq, found.is_intact) == (2, True)
    with mirror.transaction() as lines:
        assert not lines.mirror_one(entry_at(2))
        assert lines.mirror_one(entry_at(3))
    assert verify_chain(mirror.path).last_seq == 3


async def test_a_second_writer_is_refused(files: Files, tmp_path: Path) -> None:
    """Also one with another journal; the mirror stays that of the first."""
    other = Files(tmp_path / "other")
    other.folder.mkdir()
    async with files.journal() as journal:
        await journal.append(entries_from(1, 3))
        with pytest.raises(JournalLocked, match=f"process {os.getpid()}"):
            await type(journal)(other.db, mirror=files.mirror).open()
        await journal.append(entries_from(4, 3))
    assert verify_chain(files.mirror).entries == 6


async def test_the_mirror_of_another_journal_is_refused(files: Files, tmp_path: Path) -> None:
    """Its epoch is none that this journal has had; nothing is touched."""
    await recorded(files)
    before = files.mirror.read_bytes()
    other = Files(tmp_path / "other")
    other.folder.mkdir()
    async with other.alone() as journal:
        await journal.append(entries_from(1, 2))
    with pytest.raises(JournalUnavailable, match="another journal"):
        await other.alone().__class__(other.db, mirror=files.mirror).open()
    assert files.mirror.read_bytes() == before


async def test_a_policy_refuses_for_both_sides(files: Files) -> None:
    """With its reason, before anything is numbered; the next append goes on as if nothing had been."""

    def policy(entry: object) -> str | None:
        return "no marks on stage" if entry.address == "" else None  # type: ignore[attr-defined]

    marked = next(seq for seq in range(1, 500) if not entry_at(seq).address)
    async with files.journal(policy=policy) as journal:
        with pytest.raises(MirrorRefused, match="no marks on stage"):
            await journal.append(entries_from(1, marked))
        assert await journal.latest_seq() == 0
        assert verify_chain(files.mirror).entries == 0
        assert await journal.append(entries_from(1, marked - 1)) == marked - 1
    assert verify_chain(files.mirror).entries == marked - 1


async def test_an_append_that_fails_leaves_no_line(files: Files) -> None:
    """Whatever fails on the way: an iterable in the middle, a number that does not fit, the disk."""
    async with files.journal() as journal:
        await journal.append(entries_from(1, 4))
        before = files.mirror.read_bytes()

        def interrupted():
            yield from entries_from(5, 5_000)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await journal.append(interrupted())
        with pytest.raises(ValueError, match="number"):
            await journal.append([entry_at(5), entry_at(6)._replace(timestamp=1 << 70)])
        assert files.mirror.read_bytes() == before
        assert await journal.append(entries_from(5, 2), synced=True) == 6
    assert verify_chain(files.mirror).entries == 6


async def test_a_mirror_that_was_taken_away_is_not_written_on(files: Files) -> None:
    """Neither side takes an entry then, which would be missing from what the next start finds."""
    async with files.journal() as journal:
        await journal.append(entries_from(1, 2))
        elsewhere = files.mirror.rename(files.mirror.with_suffix(".1"))
        with pytest.raises(JournalUnavailable, match="moved, removed or replaced"):
            await journal.append(entries_from(3, 1))
        elsewhere.rename(files.mirror)
        assert await journal.append(entries_from(3, 2)) == 4
    assert verify_chain(files.mirror).entries == 4


def test_what_could_not_be_cut_off_is_cut_off_first(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails at everything: the lines of the refused append do not stay once it works again."""
    mirror.mirror_one(entry_at(1))

    def fails(*_: object) -> None:
        raise OSError(errno.EIO, "the disk is broken")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", fails)
        broken.setattr(os, "ftruncate", fails)
        with pytest.raises(JournalUnavailable, match="the disk is broken"):
            mirror.mirror_one(entry_at(2), synced=True)
        with pytest.raises(JournalUnavailable):
            mirror.mirror_one(entry_at(2))
    assert mirror.mirror_one(entry_at(2)._replace(author="somebody else"))
    found = verify_chain(mirror.path)
    assert (found.entries, found.is_intact, found.torn) == (2, True, None)


@pytest.mark.parametrize(("compress", "suffix"), [("none", ""), ("gzip", ".gz"), ("zstd", ".zst")])
async def test_files_are_closed_by_size(files: Files, compress: str, suffix: str) -> None:
    """The chain goes on from file to file, compressed or not, and over an opening in between."""
    if compress == "zstd" and find_spec("zstandard") is None:
        missing_tool("zstandard is not installed: pip install 'clasp-journal[zstd]'")
    await recorded(files, [20] * 10, segment_bytes=8_000, compress=compress)
    kept = await recorded(files, [20] * 10, segment_bytes=8_000, compress=compress)
    closed = closed_segments(str(files.mirror))
    assert len(closed) > 4
    assert [os.path.basename(name) for name in closed] == [
        f"show.jsonl.{number:06}{suffix}" for number in range(1, len(closed) + 1)
    ]
    found = verify_chain(files.mirror)
    assert (found.entries, found.files, found.is_intact) == (len(kept), len(closed) + 1, True)
    alone = verify_chain(closed[2])
    assert alone.is_intact
    assert 0 < alone.first_seq <= alone.last_seq < len(kept)
    if suffix:
        content = Path(closed[0]).read_bytes()
        Path(closed[0]).write_bytes(content[:-40])
        broken = verify_chain(files.mirror).broken
        assert broken is not None
        assert broken.file == closed[0]
    if compress == "gzip":
        with gzip.open(closed[0]) as lines:
            assert lines.readline().startswith(b'{"mirror":')


def test_what_is_noted_when_a_file_is_full_belongs_to_the_next(files: Files) -> None:
    """The note closes the file, and the chain goes on behind it."""
    with Mirror(MirrorOptions(str(files.mirror), segment_bytes=1_000)) as mirror:
        mirror.begin("an-epoch")
        for seq in range(1, 21):
            mirror.mirror_one(entry_at(seq))
            mirror.note_removed(seq)
        mirror.note_epoch("another")
    found = verify_chain(files.mirror)
    assert (found.is_intact, found.entries, found.epoch) == (True, 20, "another")
    assert found.files > 3


@pytest.mark.parametrize("lost", [0, 2])
async def test_a_missing_file_is_found(files: Files, lost: int) -> None:
    """The first one, or one in the middle: at the first line of the file after it."""
    await recorded(files, [20] * 10, segment_bytes=8_000)
    names = all_segments(str(files.mirror))
    os.unlink(names[lost])
    found = verify_chain(files.mirror)
    assert found.broken is not None
    assert (found.broken.line, found.broken.file) == (1, names[lost + 1])


async def test_a_crash_between_two_files_is_mended(files: Files) -> None:
    """A file was closed and the next one not begun, or begun and empty, or its first line torn."""
    await recorded(files, [20] * 5, segment_bytes=8_000)
    for left in (None, b"", b'{"mirror":{"vers'):
        newest = all_segments(str(files.mirror))[-1]
        number = len(closed_segments(str(files.mirror))) + 1
        os.rename(newest, f"{files.mirror}.{number:06}")
        if left is not None:
            files.mirror.write_bytes(left)
        assert verify_chain(files.mirror).is_intact
        kept = await recorded(files, [3], segment_bytes=8_000)
    found = verify_chain(files.mirror)
    assert (found.entries, found.is_intact) == (len(kept), True)


def test_nobody_else_writes_a_number_again(mirror: Mirror) -> None:
    """An id that is there is refused before anything is touched."""
    mirror.mirror_one(entry_at(1))
    before = Path(mirror.path).read_bytes()
    with pytest.raises(MirrorRefused, match="is there already"), mirror.transaction() as lines:
        lines.add(entry_at(1))
    assert Path(mirror.path).read_bytes() == before


async def test_a_number_that_only_the_journal_has_is_refused(files: Files) -> None:
    """Somebody with another SQLite tool gave it away: nothing is touched, on neither side."""
    async with files.journal() as journal:
        await journal.append(entries_from(1, 4))
        with closing(sqlite3.connect(files.db)) as other, other:
            columns = ", ".join(ENTRY_COLUMNS[1:])
            other.execute(f"INSERT INTO entry (seq, {columns}) SELECT 6, {columns} FROM entry WHERE seq = 4")
        before = files.mirror.read_bytes()
        with pytest.raises(JournalError, match="UNIQUE"):
            await journal.append(entries_from(5, 3))
        assert files.mirror.read_bytes() == before
        assert (await journal.since(0), await journal.latest_seq()) == (entries_from(1, 4), 4)
    assert verify_chain(files.mirror).last_seq == 4
