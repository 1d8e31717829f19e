"""The chain: every line carries one hash, over its content and the hash of the line before.

    {…body…,"more":true,"hash":"…"}        the hash is BLAKE2b-256(hash before + BLAKE2b-256(body) + flag)

`more` says that the next line belongs to the same append, and is part of what is hashed (as `+`). A forgotten
line keeps `seq`, the digest of its body and its hash, so the chain still holds. Lines that are no entries:

    {"mirror":{…}       opens a file        {"checkpoint":{…}   the same in the middle of one
    {"epoch":{…}        another life of the journal begins
    {"removed":{…}      entries below a number were removed from the journal on purpose

The first two say where they stand and name the hash before them, so whoever begins to read at one of them can
check it alone. Laws: every byte of a line is covered; numbers go up by one, except over what was removed.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from hashlib import blake2b
from typing import Any, NamedTuple

VERSION = 1
HASH_BYTES = 32
NO_HASH = bytes(HASH_BYTES)
"""What stands before the first line of the first file."""
MORE = b',"more":true'
TAIL_BYTES = len(b',"hash":""}\n') + 2 * HASH_BYTES
ANCHORS = ("mirror", "checkpoint")

_SEQ = re.compile(rb'\{"seq":(\d+),')
_FORGOTTEN = re.compile(rb'\{"seq":(0|[1-9]\d*),"digest":"([0-9a-f]{64})"')
_WORD = re.compile(rb'\{"([a-z]+)":\{')


class Fault(StrEnum):
    """What is wrong with a line."""

    CHANGED = "changed"
    """It, or a line before it that is no entry, is not what was written."""
    MISSING = "missing"
    """Entries before it are not there."""
    REPEATED = "repeated"
    """Its entry was there before."""
    UNREADABLE = "unreadable"
    FOREIGN = "foreign"
    """It belongs to another journal."""
    UNEXPLAINED = "unexplained"
    """Only its digest is there, but nothing says that it was forgotten."""
    FORGED = "forged"
    """A signature is missing or not made with the key."""


class BrokenChain(Exception):
    """A line that does not follow from those before it."""

    def __init__(self, fault: Fault, seq: int, reason: str) -> None:
        super().__init__(reason)
        self.fault = fault
        self.seq = seq
        """The entry at which it was found."""
        self.reason = reason


class Line(NamedTuple):
    """A line that follows from those before it."""

    seq: int
    """The number of its entry; 0 if it is none."""
    body: bytes
    """Empty where only the digest is left."""
    digest: bytes
    word: str = ""
    """What a line that is no entry is about."""
    facts: dict[str, Any] = {}  # noqa: RUF012 - never written to


class Position(NamedTuple):
    """Where in the chain somebody stands."""

    head: bytes = NO_HASH
    epoch: str = ""
    seq: int = 0
    """The last entry."""
    removed_before: int = 0
    segment: int = 0


def digest_of(body: bytes) -> bytes:
    """The digest of a line's content."""
    return blake2b(body, digest_size=HASH_BYTES).digest()


def link(head: bytes, digest: bytes, *, more: bool = False) -> bytes:
    """The hash of a line, from the one before it."""
    return blake2b(head + digest + b"+" if more else head + digest, digest_size=HASH_BYTES).digest()


def tail_of(head: bytes) -> bytes:
    """What stands behind the content of a line."""
    return b',"hash":"%b"}\n' % head.hex().encode()


def control_body(word: str, facts: dict[str, Any]) -> str:
    """The body of a line that is no entry."""
    return f'{{"{word}":{json.dumps(facts, separators=(",", ":"))}'


def anchor_facts(at: Position) -> dict[str, Any]:
    """What a line says that can be begun with."""
    return {
        "version": VERSION,
        "segment": at.segment,
        "epoch": at.epoch,
        "seq": at.seq,
        "removed_before": at.removed_before,
        "prev": at.head.hex(),
    }


class Chain:
    """Follows lines from a position on."""

    def __init__(self, at: Position | None = None) -> None:
        """Without a position the first line has to be one that says where it stands."""
        self.started = at is not None
        at = at or Position()
        self.head, self.epoch, self.seq, self.removed_before, self.segment = at
        self.in_append = False
        """Whether the append of the last entry goes on."""

    @property
    def position(self) -> Position:
        """Where in the chain it has arrived."""
        return Position(self.head, self.epoch, self.seq, self.removed_before, self.segment)

    @property
    def expected_seq(self) -> int:
        """The number of the next entry."""
        return max(self.seq + 1, self.removed_before)

    def follow(self, line: bytes) -> Line:
        """Take the next line; `BrokenChain` if it is not what has to come."""
        return self.follow_entry(line) or self._follow_rarer(line)

    def follow_entry(self, line: bytes) -> Line | None:
        """Take the next line if it is a whole entry and follows; otherwise None, and nothing has changed."""
        seq = self.seq + 1
        if not line.startswith(b'{"seq":%d,"timestamp":' % seq) or not self.started:
            return None
        content = line[:-TAIL_BYTES]
        more = content.endswith(MORE)
        body = content[: -len(MORE)] if more else content
        digest = blake2b(body, digest_size=32).digest()
        head = blake2b(self.head + digest + b"+" if more else self.head + digest, digest_size=32).digest()
        if not line.endswith(b',"hash":"%b"}\n' % head.hex().encode()):
            return None
        self.head, self.seq, self.in_append = head, seq, more
        return Line(seq, body, digest)

    def _follow_rarer(self, line: bytes) -> Line:
        content = line[:-TAIL_BYTES]
        more = content.endswith(MORE)
        body = content.removesuffix(MORE)
        word = _WORD.match(body)
        if word is not None and not more:
            return self._follow_control(line, body, word[1].decode())
        numbered = _SEQ.match(body)
        if numbered is None or not self.started:
            raise BrokenChain(Fault.UNREADABLE, self.expected_seq, "this is no line of a mirror")
        seq, expected = int(numbered[1]), self.expected_seq
        forgotten = _FORGOTTEN.fullmatch(body)
        digest = digest_of(body) if forgotten is None else bytes.fromhex(forgotten[2].decode())
        if seq > expected:
            reason = f"entry {expected} should be here, and entry {seq} is"
            raise BrokenChain(Fault.MISSING, expected, reason)
        if seq < expected:
            raise BrokenChain(Fault.REPEATED, seq, f"entry {seq} is here, after entry {self.seq}")
        head = link(self.head, digest, more=more)
        if line[-TAIL_BYTES:] != tail_of(head):
            raise _changed(seq)
        self.head, self.seq, self.in_append = head, seq, more
        return Line(seq, b"" if forgotten else body, digest)

    def _follow_control(self, line: bytes, body: bytes, word: str) -> Line:
        try:
            facts = json.loads(body + b"}")[word]
            assert isinstance(facts, dict)
            if not self.started and word in ANCHORS:
                self._start(facts)
        except (ValueError, KeyError, TypeError, AssertionError, RecursionError):
            raise _changed(self.expected_seq) from None
        if not self.started or self.in_append:
            raise BrokenChain(Fault.UNREADABLE, self.expected_seq, "this line cannot stand here")
        digest = digest_of(body)
        head = link(self.head, digest)
        if line[-TAIL_BYTES:] != tail_of(head):
            raise self._misplaced(word, facts)
        self._obey(word, facts)
        self.head = head
        return Line(0, body, digest, word, facts)

    def _start(self, facts: dict[str, Any]) -> None:
        self.head = bytes.fromhex(facts["prev"])
        self.epoch, self.seq = str(facts["epoch"]), int(facts["seq"])
        self.removed_before, self.segment = int(facts["removed_before"]), int(facts["segment"])
        if len(self.head) != HASH_BYTES:
            raise ValueError("a hash of another length")
        self.started = True

    def _misplaced(self, word: str, facts: dict[str, Any]) -> BrokenChain:
        """Why a line that says where it belongs does not stand there."""
        seq = facts.get("seq")
        if word in ANCHORS and isinstance(seq, int) and seq > self.seq:
            reason = f"entries {self.expected_seq} to {seq} should be before this line"
            return BrokenChain(Fault.MISSING, self.expected_seq, reason)
        return _changed(self.expected_seq)

    def _obey(self, word: str, facts: dict[str, Any]) -> None:
        if word in ANCHORS:
            if facts.get("version") != VERSION:
                raise BrokenChain(Fault.UNREADABLE, self.seq, "a newer version of this program wrote it")
            opens_next = word == "mirror" and facts.get("segment") != self.segment
            at = self.position._replace(segment=self.segment + opens_next)
            said = {key: facts.get(key) for key in anchor_facts(at)}
            if said != anchor_facts(at):
                raise _changed(self.expected_seq)
            self.segment = at.segment
        elif word == "epoch":
            if facts.get("after") != self.epoch:
                reason = "it goes on from an epoch that was not there"
                raise BrokenChain(Fault.FOREIGN, self.expected_seq, reason)
            self.epoch = str(facts["epoch"])
        elif word == "removed":
            self.removed_before = max(self.removed_before, int(facts["before_seq"]))
        else:
            raise BrokenChain(Fault.UNREADABLE, self.expected_seq, f"nobody knows what {word!r} means")


def _changed(seq: int) -> BrokenChain:
    return BrokenChain(
        Fault.CHANGED, seq, "its content or hash, or a line before it, is not what was written"
    )
