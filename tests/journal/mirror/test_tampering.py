"""A line that was changed, removed, inserted or moved is found, and where."""

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clasp_journal.errors import JournalCorrupt
from clasp_journal.mirror import verify_chain
from clasp_journal.mirror.chain import Fault
from tests.journal.mirror.stage import Files, recorded

FLIPS = 2_000
SAMPLE = 250


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A mirror that nobody has touched; tests damage copies."""
    import asyncio

    files = Files(tmp_path_factory.mktemp("written"))
    asyncio.run(recorded(files, [1, 3, 8, 20, 1, 8] * 3))
    return files


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """Where a damaged copy goes."""
    return tmp_path / "damaged.jsonl"


def seq_of(line: bytes) -> int:
    """The entry of a line; 0 if it is none."""
    return int(line[7 : line.index(b",")]) if line.startswith(b'{"seq":') else 0


def flip(written: Files, damaged: Path, bit: int) -> None:
    """One bit of the file is another one: it is found, in its own line or, where that ends, in the next."""
    content = bytearray(written.mirror.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    damaged.write_bytes(content)
    found = verify_chain(damaged)
    line = content[: bit // 8].count(b"\n") + 1
    if bit // 8 == len(content) - 1:
        assert found.torn is not None, "without its end the last line is torn"
    else:
        assert found.broken is not None, f"bit {bit} was flipped and nothing was found"
        assert found.broken.line == line, found.broken


def flips(written: Files, count: int) -> list[int]:
    """The bits to flip: the same in every run."""
    bits = written.mirror.stat().st_size * 8
    return [*range(8), *random.Random(7).sample(range(bits), count - 16), *range(bits - 8, bits)]


def test_what_nobody_touched_is_intact(written: Files) -> None:
    """The report says how much there is, and the hash at the end."""
    found = verify_chain(written.mirror)
    assert found.is_intact
    assert found.torn is None
    assert (found.entries, found.first_seq, found.last_seq) == (123, 1, 123)
    assert written.lines()[-1].endswith(f'"hash":"{found.head}"}}\n'.encode())


def test_a_flipped_bit_is_found(written: Files, damaged: Path) -> None:
    """Some of the bits, one at a time."""
    for bit in flips(written, SAMPLE):
        flip(written, damaged, bit)


@pytest.mark.soak
def test_two_thousand_flipped_bits_are_found(written: Files, damaged: Path) -> None:
    """All of them."""
    for bit in flips(written, FLIPS):
        flip(written, damaged, bit)


def break_of(damaged: Path, lines: list[bytes]) -> tuple[int, Fault]:
    """Where, and how, these lines are found to be broken."""
    damaged.write_bytes(b"".join(lines))
    found = verify_chain(damaged)
    assert found.broken is not None
    assert not found.is_intact
    return found.broken.line, found.broken.fault


ANYWHERE = st.integers(0, 10_000)
IN_A_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.property
@IN_A_FOLDER
@given(ANYWHERE)
def test_a_deleted_line_is_found(written: Files, damaged: Path, at: int) -> None:
    """At the line that took its place: the entry before that one is missing."""
    lines = written.lines()
    at = 1 + at % (len(lines) - 3)
    assert break_of(damaged, lines[:at] + lines[at + 1 :]) == (at + 1, Fault.MISSING)


@pytest.mark.property
@IN_A_FOLDER
@given(ANYWHERE)
def test_a_repeated_line_is_found(written: Files, damaged: Path, at: int) -> None:
    """At the second of the two."""
    lines = written.lines()
    at = 1 + at % (len(lines) - 2)
    assert break_of(damaged, lines[: at + 1] + lines[at:]) == (at + 2, Fault.REPEATED)


@pytest.mark.property
@IN_A_FOLDER
@given(ANYWHERE, ANYWHERE)
def test_swapped_lines_are_found(written: Files, damaged: Path, one: int, other: int) -> None:
    """At the first of the two places, where a later entry now stands."""
    lines = written.lines()
    entries = len(lines) - 2
    first, second = sorted((1 + one % entries, 1 + other % entries))
    if first == second:
        second = first + 1 if first < entries else first
        first = second - 1
    lines[first], lines[second] = lines[second], lines[first]
    assert break_of(damaged, lines) == (first + 1, Fault.MISSING)


@pytest.mark.property
@IN_A_FOLDER
@given(ANYWHERE, ANYWHERE)
def test_a_line_of_another_place_is_found(written: Files, damaged: Path, at: int, source: int) -> None:
    """A line that replaces another one, under its own number or under that of the other."""
    lines = written.lines()
    at, source = 1 + at % (len(lines) - 2), 1 + source % (len(lines) - 2)
    if seq_of(lines[at]) == seq_of(lines[source]):
        return
    own = seq_of(lines[at])
    lines[at] = b'{"seq":%d' % own + lines[source][lines[source].index(b",") :]
    assert break_of(damaged, lines) == (at + 1, Fault.CHANGED)


def test_a_digest_that_nothing_explains_is_found(written: Files, damaged: Path) -> None:
    """Content is not hidden by calling it forgotten: an entry behind it has to say so."""
    from clasp_journal.mirror.chain import MORE, TAIL_BYTES, digest_of

    lines = written.lines()
    content, tail = lines[5][:-TAIL_BYTES], lines[5][-TAIL_BYTES:]
    more = MORE if content.endswith(MORE) else b""
    digest = digest_of(content.removesuffix(MORE)).hex().encode()
    lines[5] = b'{"seq":%d,"digest":"%b"%b%b' % (seq_of(lines[5]), digest, more, tail)
    assert break_of(damaged, lines) == (6, Fault.UNEXPLAINED)


def test_a_cut_end_is_torn_not_broken(written: Files, damaged: Path) -> None:
    """Wherever a crash may cut the file, no line is called tampered with; whole appends before it count."""
    content = written.mirror.read_bytes()
    first_line = content.index(b"\n") + 1
    for size_bytes in range(first_line, len(content), 97):
        damaged.write_bytes(content[:size_bytes])
        found = verify_chain(damaged)
        assert found.is_intact
        assert found.last_seq <= content[:size_bytes].count(b"\n")
        whole = [line for line in content[:size_bytes].splitlines(keepends=True) if line.endswith(b"\n")]
        is_torn = size_bytes > sum(map(len, whole)) or b',"more":true' in whole[-1]
        assert (found.torn is not None) == is_torn


async def test_a_broken_mirror_is_not_written(written: Files, tmp_path: Path) -> None:
    """Whoever opens it to append is told the line, and neither side changes."""
    files = written.copied(tmp_path / "copy")
    content = bytearray(files.mirror.read_bytes())
    content[-2_000] ^= 1
    files.mirror.write_bytes(content)
    before = files.db.read_bytes()
    with pytest.raises(JournalCorrupt, match=r"line \d+ of the mirror"):
        await files.journal().open()
    assert files.mirror.read_bytes() == content
    async with files.alone() as journal:
        assert await journal.latest_seq() == 123
    assert len(before) == files.db.stat().st_size
