"""The simulator is honest: what was synced is in every image; the rest is lost, torn or reordered in some."""

import random
from collections.abc import Callable

from tests.crash.disk import SECTOR_BYTES, Act, Disk, Record

Image = dict[str, bytes]

DIRECTORY = Record(Act.SYNC_DIRECTORY, "disk", 1)
CREATE_A, CREATE_B = Record(Act.CREATE, "a", 10), Record(Act.CREATE, "b", 11)
SYNC_A, SYNC_B = Record(Act.SYNC, "a", 10), Record(Act.SYNC, "b", 11)


def write(name: str, data: bytes, offset: int = 0) -> Record:
    """A write to one of the two files."""
    return Record(Act.WRITE, name, {"a": 10, "b": 11}[name], offset, data)


def images(*records: Record, before: Image | None = None) -> list[Image]:
    """Many disks that a cut after these records may leave."""
    disk = Disk(before or {})
    disk.do(records)
    return [disk.image(random.Random(seed)) for seed in range(300)]


def some(found: list[Image], law: Callable[[Image], bool]) -> bool:
    """Whether some of the disks are like that."""
    return any(law(image) for image in found)


def test_synced_bytes_are_in_every_image() -> None:
    """A sync makes safe what was written before it, and the creation of the file."""
    assert all(image == {"a": b"one"} for image in images(CREATE_A, write("a", b"one"), SYNC_A))


def test_unsynced_bytes_are_there_or_not() -> None:
    """A write after the last sync may be lost and may survive; the earlier one stays."""
    found = images(CREATE_A, write("a", b"one"), SYNC_A, write("a", b"TWO"))
    assert {image["a"] for image in found} == {b"one", b"TWO"}


def test_a_write_is_torn_at_the_sectors_of_the_file() -> None:
    """Of one large write some sectors may survive without the others, and no half of one."""
    old, new = b"." * 3 * SECTOR_BYTES, b"#" * 3 * SECTOR_BYTES
    found = images(CREATE_A, write("a", old), SYNC_A, write("a", new[:-100], 100))
    assert some(found, lambda image: {*image["a"][SECTOR_BYTES:]} == {*b".#"})
    for image in found:
        assert len({*image["a"][SECTOR_BYTES : 2 * SECTOR_BYTES]}) == 1


def test_a_later_write_may_survive_an_earlier_one() -> None:
    """Nothing orders unsynced writes, neither within a file nor between two."""
    made = (CREATE_A, CREATE_B, DIRECTORY)
    found = images(*made, write("a", b"1"), write("a", b"2", 1), write("b", b"3"))
    assert some(found, lambda image: image["a"] == b"\x002")
    assert some(found, lambda image: image == {"a": b"", "b": b"3"})


def test_a_sync_of_one_file_does_not_sync_another() -> None:
    """Only the file that was synced is safe."""
    found = images(CREATE_A, CREATE_B, DIRECTORY, write("a", b"1"), write("b", b"2"), SYNC_B)
    assert {image["a"] for image in found} == {b"", b"1"}
    assert {image["b"] for image in found} == {b"2"}


def test_a_truncation_may_be_undone() -> None:
    """Until the next sync the old end of the file may come back."""
    cut = Record(Act.TRUNCATE, "a", 10, 1)
    opened = Record(Act.OPEN, "a", 10)
    assert {image["a"] for image in images(opened, cut, before={"a": b"old"})} == {b"old", b"o"}
    assert {image["a"] for image in images(opened, cut, SYNC_A, before={"a": b"old"})} == {b"o"}


def test_names_change_in_order_and_wholly() -> None:
    """A rename is done or not, never half; a later removal does not survive without it."""
    changes = (
        Record(Act.OPEN, "a", 10),
        Record(Act.RENAME, "a", data=b"aside"),
        CREATE_B,
        Record(Act.UNLINK, "aside"),
    )
    found = images(*changes, before={"a": b"old"})
    assert {tuple(sorted(image)) for image in found} == {("a",), ("aside",), ("aside", "b"), ("b",)}
    assert {tuple(image) for image in images(*changes, DIRECTORY, before={"a": b"old"})} == {("b",)}
