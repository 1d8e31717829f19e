"""What patterns say behind a `**`: many of them walked at once, as bits of whole numbers.

Behind a `**` a pattern stands in many places at once, and so does each of a thousand others; going through
the places one by one lets a few hostile patterns stop a router for seconds. Here all places of a block of
patterns take a step in a few operations on one number. Laws: `Pattern.matches` is the definition; equal tails
are one; what has changed is compiled when somebody asks.
"""

from __future__ import annotations

from collections.abc import Sequence

from clasp_journal.address import MANY, fits, is_one, pieces_of

BLOCK_BITS = 512
"""Places in a block; operations on numbers of this size cost little more than on small ones."""

Tail = tuple[str, ...]
"""Segments of which the first is a `**`, in the form that `canonical` gives."""


def canonical(segments: Sequence[str]) -> tuple[str, ...]:
    """The same pattern with each row of wildcards in one order: `*` as often as there are, then one `**`.

    A row that has a `**` means so many segments or more, whatever the order.
    """
    found: list[str] = []
    is_open = False
    for segment in segments:
        if segment == MANY:
            is_open = True
            continue
        if is_open and not is_one(segment):
            found.append(MANY)
            is_open = False
        found.append("*" if is_one(segment) else segment)
    if is_open:
        found.append(MANY)
    return tuple(found)


class Tails:
    """All tails behind one place."""

    __slots__ = ("_blocks", "_home")

    def __init__(self) -> None:
        self._blocks: list[_Block] = []
        self._home: dict[Tail, _Block] = {}

    def __bool__(self) -> bool:
        return bool(self._home)

    def add(self, tail: Tail) -> None:
        """File a tail, unless it is filed already."""
        if tail in self._home:
            return
        if not self._blocks or self._blocks[-1].size_bits + len(tail) >= BLOCK_BITS:
            self._blocks.append(_Block())
        self._blocks[-1].add(tail)
        self._home[tail] = self._blocks[-1]

    def remove(self, tail: Tail) -> None:
        """Take a tail out."""
        block = self._home.pop(tail)
        block.remove(tail)
        if not block.tails:
            self._blocks.remove(block)
        elif len(self._blocks) > 4 + sum(block.size_bits for block in self._blocks) // (BLOCK_BITS // 4):
            self._gather()

    def matching(self, segments: Sequence[str]) -> list[Tail]:
        """The tails that match the rest of an address."""
        found: list[Tail] = []
        for block in self._blocks:
            ends = block.reached_by(segments)
            if ends:
                found += [tail for end, tail in block.ends if ends & end]
        return found

    def _gather(self) -> None:
        """Fill the blocks anew that have become mostly empty."""
        tails = list(self._home)
        self._blocks, self._home = [], {}
        for tail in tails:
            self.add(tail)


class _Block:
    """Some tails, one after the other. Each has a place before every segment, and one at its end."""

    __slots__ = (
        "_all_ends",
        "_literals",
        "_loops",
        "_ones",
        "_partials",
        "_starts",
        "ends",
        "size_bits",
        "tails",
    )

    def __init__(self) -> None:
        self.tails: list[Tail] = []
        self.size_bits = 0
        self.ends: list[tuple[int, Tail]] = []
        """The tails with the bits of their ends; empty until they are compiled."""

    def add(self, tail: Tail) -> None:
        """File one more tail."""
        self.tails.append(tail)
        self.size_bits += len(tail) + 1
        self.ends = []

    def remove(self, tail: Tail) -> None:
        """Take a tail out."""
        self.tails.remove(tail)
        self.size_bits -= len(tail) + 1
        self.ends = []

    def reached_by(self, segments: Sequence[str]) -> int:
        """The ends of the tails that match the rest of an address."""
        if not self.ends:
            self._compile()
        loops, ones, literals, partials = self._loops, self._ones, self._literals, self._partials
        places = self._starts
        for segment in segments:
            passing = literals.get(segment, 0) | ones
            for pieces, mask in partials:
                if places & mask and fits(pieces, segment):
                    passing |= mask
            places = (places & passing) << 1 | places & loops
            # `**` may match nothing: whoever stands before one also stands behind it.
            places |= (places & loops) << 1
            if not places:
                return 0
        return places & self._all_ends

    def _compile(self) -> None:
        self._literals: dict[str, int] = {}
        self._loops = self._ones = self._starts = self._all_ends = 0
        partials: dict[str, int] = {}
        bit = 1
        for tail in self.tails:
            self._starts |= bit | bit << 1
            for segment in tail:
                if segment == MANY:
                    self._loops |= bit
                elif is_one(segment):
                    self._ones |= bit
                elif "*" in segment:
                    partials[segment] = partials.get(segment, 0) | bit
                else:
                    self._literals[segment] = self._literals.get(segment, 0) | bit
                bit <<= 1
            self.ends.append((bit, tail))
            self._all_ends |= bit
            bit <<= 1
        self._partials = [(pieces_of(segment), mask) for segment, mask in partials.items()]
