"""The end of a mirror, found without reading all of it.

The newest file is read backwards to a line that can be begun with (its first line, or a checkpoint: there
is one per megabyte), at least a megabyte before its end, and checked from there on. What lies before that
is checked by `verify_chain`, not here: opening a mirror costs the same after a thousand entries and after
ten million.

Law: what is behind the last whole append does not count; it is torn if a crash explains it, and broken if
not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO, NamedTuple

from clasp_journal.mirror.chain import ANCHORS, BrokenChain, Chain, Fault, Line, Position
from clasp_journal.mirror.packing import COMPRESSED, READ_AT_ONCE_BYTES, UNREADABLE
from clasp_journal.mirror.segments import all_segments, closed_segments, open_segment
from clasp_journal.mirror.signing import Verifier, signed_bytes
from clasp_journal.mirror.walking import Break

CHECKED_MIN_BYTES = 1 << 20
"""So much of the end is checked at least."""

_CHECKPOINT = b'\n{"checkpoint":'


class End(NamedTuple):
    """Where the mirror ends."""

    at: Position
    offset: int
    """In the newest file: the end of the last whole append."""
    checkpoint_offset: int
    torn_bytes: int
    broken: Break | None = None
    """The line at which it does not go on, though it is no torn one."""


def find_end(path: str, verifier: Verifier | None = None) -> End | None:
    """Where a mirror ends; None if there is none yet."""
    closed = closed_segments(path)
    if os.path.exists(path) and os.path.getsize(path):
        found = _end_of_file(path, verifier)
        if found is not None:
            return found
        # The file was begun, and the crash came before its first line was whole.
        size_bytes = os.path.getsize(path)
        if not closed:
            return End(Position(), 0, 0, size_bytes)
        return End(_position_after(closed[-1]), 0, 0, size_bytes)
    if not closed:
        return None
    return End(_position_after(closed[-1]), 0, 0, 0)


def _end_of_file(path: str, verifier: Verifier | None) -> End | None:
    """The end of the newest file; None if it does not even have a whole first line."""
    size_bytes = os.path.getsize(path)
    with open(path, "rb") as file:
        anchor = _last_anchor(file.fileno(), max(0, size_bytes - CHECKED_MIN_BYTES))
        while True:
            end = _end_from(file, anchor, verifier)
            if end is None or end.at != Position() or not anchor:
                break
            # This checkpoint is itself damaged.
            anchor = _last_anchor(file.fileno(), anchor)
    return end and end._replace(torn_bytes=size_bytes - end.offset)


def _end_from(file: IO[bytes], anchor: int, verifier: Verifier | None) -> End | None:
    file.seek(anchor)
    chain, offset = Chain(), anchor
    end = End(Position(), anchor, anchor, 0)
    for number, raw in enumerate(file, 1):
        if raw[-1:] != b"\n":
            if not offset and b'{"mirror":{'.startswith(raw[:11]):
                return None
            break
        try:
            line = chain.follow(raw)
            if number == 1 and verifier is not None and line.word == "checkpoint":
                _check_signature(verifier, line.facts)
        except BrokenChain as broken:
            at_line = _count_lines(file.name, anchor) + number
            return end._replace(broken=Break(file.name, at_line, broken.seq, broken.fault, broken.reason))
        offset += len(raw)
        checkpoint = offset if line.word in ANCHORS else end.checkpoint_offset
        if not chain.in_append:
            end = End(chain.position, offset, checkpoint, 0)
    if end.at == Position():
        reason = "this is no mirror: its first line does not say so"
        return end._replace(broken=Break(file.name, 1, 0, Fault.UNREADABLE, reason))
    return end


def lines_after(path: str, seq: int) -> Iterator[Line]:
    """The checked lines of the entries behind a number. It begins to read shortly before that one."""
    files = [file for file in all_segments(path) if _is_begun(file)]
    first = len(files) - 1
    while first > 0 and _anchor_seq(files[first], 0) > seq:
        first -= 1
    chain = Chain()
    for file in files[first:]:
        with open_segment(file) as lines:
            if not chain.started and not file.endswith(COMPRESSED):
                lines.seek(_anchor_before(file, seq))
            for raw in lines:
                if raw[-1:] != b"\n":
                    return
                line = chain.follow(raw)
                if line.seq > seq:
                    yield line


def digest_at(path: str, seq: int) -> bytes | None:
    """The digest of an entry, if it is there; found by reading."""
    first = next(lines_after(path, seq - 1), None)
    return first.digest if first is not None and first.seq == seq else None


def _is_begun(file: str) -> bool:
    """Whether the first line is whole; a crash may have come before."""
    with open_segment(file) as lines:
        return lines.readline().endswith(b"\n")


def _anchor_before(file: str, seq: int) -> int:
    """The offset of the last checkpoint that stands before the entry behind a number."""
    with open(file, "rb") as lines:
        anchor = _last_anchor(lines.fileno(), os.path.getsize(file))
        while anchor and _anchor_seq(file, anchor) > seq:
            anchor = _last_anchor(lines.fileno(), anchor)
    return anchor


def _anchor_seq(file: str, offset: int) -> int:
    with open_segment(file) as lines:
        if offset:
            lines.seek(offset)
        chain = Chain()
        chain.follow(lines.readline())
        return chain.seq


def _last_anchor(descriptor: int, size_bytes: int) -> int:
    """The offset of the last whole checkpoint, or of the first line."""
    upto, overlap = size_bytes, b""
    while upto > 0:
        began = max(0, upto - READ_AT_ONCE_BYTES)
        block = os.pread(descriptor, upto - began, began) + overlap
        at = block.rfind(_CHECKPOINT)
        while at >= 0:
            if b"\n" in block[at + 1 :]:
                return began + at + 1
            at = block.rfind(_CHECKPOINT, 0, at)
        # A checkpoint may lie across two blocks, and its line end in the one behind.
        overlap, upto = block[:4_096], began
    return 0


def _count_lines(path: str, upto: int) -> int:
    count = 0
    with open(path, "rb") as file:
        while upto > 0 and (block := file.read(min(upto, READ_AT_ONCE_BYTES))):
            count += block.count(b"\n")
            upto -= len(block)
    return count


def _position_after(closed: str) -> Position:
    """Where the chain stands after a closed file: its last line says so."""
    last = b""
    with open_segment(closed) as lines:
        try:
            for line in lines:
                last = line
        except UNREADABLE as error:
            raise BrokenChain(Fault.UNREADABLE, 0, f"{closed} is damaged: {error}") from None
    chain = Chain()
    chain.follow(last)
    return chain.position


def _check_signature(verifier: Verifier, facts: dict[str, object]) -> None:
    message = signed_bytes(str(facts["epoch"]), int(str(facts["seq"])), bytes.fromhex(str(facts["prev"])))
    if not verifier.accepts(facts.get("signature"), message):
        raise BrokenChain(
            Fault.FORGED, int(str(facts["seq"])), "the last checkpoint was not signed with the key"
        )
