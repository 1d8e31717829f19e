"""What an address is, and the only meaning of `*` and `**`.

An address starts with `/`; its segments are separated by `/`; only the last one may be empty.
A pattern has the same grammar. Segment by segment,

    **            matches any number of segments, zero included,
    *             matches exactly one, which may be the empty last one,
    zone*, a*b    match one: each run of `*` is zero or more characters,
    all else      matches itself, byte for byte; `? [ ] { } ! \\` are characters like any other.

Law: `Pattern.matches` is the definition. Tries, caches, SQL and permissions are faster ways to ask it,
and are tested against it. It takes linear time for any pattern.
"""

from __future__ import annotations

from collections.abc import Sequence

from clasp_journal.errors import AddressError, PatternError

SIZE_MAX_BYTES = 1024
"""The longest address or pattern."""

MANY = "**"
_FRESH = "\udfff"
"""A character that no address can hold (a lone surrogate has no UTF-8): it stands for "anything else"."""

_COVER_STEPS_MAX = 10_000
"""How many steps `cover` may take. No pattern a person writes comes near; beyond it the answer is no."""


def parse_address(text: str) -> str:
    """The text itself, if it is an address; otherwise `AddressError`."""
    reason = _fault(text)
    if reason:
        raise AddressError(f"address {reason}", text)
    return text


def _fault(text: str) -> str | None:
    if not text.startswith("/"):
        return "must start with '/'"
    if text.find("//") >= 0:
        return "has an empty segment before its end"
    try:
        size_bytes = len(text.encode())
    except UnicodeEncodeError:
        return "holds a lone surrogate"
    if size_bytes > SIZE_MAX_BYTES:
        return f"of {size_bytes} bytes is longer than {SIZE_MAX_BYTES}"
    return None


class Pattern:
    """A parsed pattern: which addresses it matches, and which other patterns it covers."""

    __slots__ = ("_literals", "_loops", "_ones", "_partials", "_segments", "_subtree", "prefix", "text")

    text: str
    prefix: str
    """What every matched address starts with: the text before the first wildcard."""

    def __init__(self, text: str, segments: tuple[str, ...]) -> None:
        self.text = text
        self._segments = segments
        self.prefix = _literal_prefix(segments)
        # `/a/b/**`, which is asked for the most, needs no walk: it matches `/a/b` and what lies below.
        self._subtree = text[:-2] if text.endswith("/**") and "*" not in text[:-2] else None
        self._compile()

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """The pattern that a text spells; otherwise `PatternError`."""
        reason = _fault(text)
        if reason:
            raise PatternError(f"pattern {reason}", text)
        return cls(text, tuple(text[1:].split("/")))

    @property
    def segments(self) -> tuple[str, ...]:
        """The pattern between its slashes."""
        return self._segments

    @property
    def is_literal(self) -> bool:
        """Whether it has no wildcard, so that it matches the one address that is its own text."""
        return "*" not in self.text

    def matches(self, address: str) -> bool:
        """Whether the pattern matches this (valid) address."""
        if self._subtree is not None:
            return f"{address}/".startswith(self._subtree)
        states = self._start()
        for segment in address[1:].split("/"):
            states = self._step(states, segment)
            if not states:
                return False
        return bool(states >> len(self._segments) & 1)

    def covers(self, other: Pattern) -> bool:
        """Whether every address that `other` matches is matched by this pattern too. Exact; see `cover`."""
        return cover((self,), other)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"

    # The matcher walks all readings of the pattern at once: bit i of `states` says that the first i
    # segments of the pattern can have consumed what was read so far. One step costs a few operations on
    # whole numbers, whatever the pattern.

    def _compile(self) -> None:
        self._literals: dict[str, int] = {}
        self._partials: list[tuple[int, tuple[str, ...]]] = []
        self._ones = 0
        self._loops = 0
        for at, segment in enumerate(self._segments):
            bit = 1 << at
            if segment == MANY:
                self._loops |= bit
            elif is_one(segment):
                self._ones |= bit
            elif "*" in segment:
                self._partials.append((bit, pieces_of(segment)))
            else:
                self._literals[segment] = self._literals.get(segment, 0) | bit

    def _start(self) -> int:
        return self._skip_loops(1)

    def _step(self, states: int, segment: str) -> int:
        passing = self._literals.get(segment, 0) | self._ones
        for bit, pieces in self._partials:
            if states & bit and fits(pieces, segment):
                passing |= bit
        return self._skip_loops((states & passing) << 1 | states & self._loops)

    def _skip_loops(self, states: int) -> int:
        """`**` may match nothing: whoever stands before one also stands behind it."""
        loops = self._loops
        if loops:
            while skipped := (states & loops) << 1 & ~states:
                states |= skipped
        return states


def cover(patterns: Sequence[Pattern], other: Pattern) -> bool:
    """Whether every address that `other` matches is matched by at least one of these patterns. Exact.

    One address stands for all that a `*` or `zone*` of `other` can match: the one with a character in the gap
    that nobody writes. Whoever matches that one has a wildcard over the gap, and so matches whatever else is
    put there. What is left are the `**` of `other`, which repeat that one segment any number of times: all
    the sets of states that these repetitions reach are walked, those of all patterns side by side.
    """
    # Nearly all there is to ask: whether it lies below one of them. Long patterns would cost a millisecond.
    below = f"{other.text}/"
    if any(p._subtree is not None and below.startswith(p._subtree) for p in patterns):
        return True
    words = tuple(s if s == MANY else _freshest(s) for s in other.segments)
    if set(words) == {MANY}:
        words = (_FRESH, MANY)  # every address has at least one segment
    seen = set()
    steps = 0
    todo = [(0, tuple((number, pattern._start()) for number, pattern in enumerate(patterns)))]
    while todo:
        place = todo.pop()
        if place in seen:
            continue
        seen.add(place)
        at, readings = place
        steps += len(readings)
        if steps > _COVER_STEPS_MAX:
            return False
        if at == len(words):
            if not any(states >> len(patterns[number]._segments) & 1 for number, states in readings):
                return False
            continue
        is_many = words[at] == MANY
        if is_many:
            todo.append((at + 1, readings))
        word = _FRESH if is_many else words[at]
        stepped = ((number, patterns[number]._step(states, word)) for number, states in readings)
        alive = tuple(reading for reading in stepped if reading[1])
        if not alive:
            return False
        todo.append((at if is_many else at + 1, alive))
    return True


def _literal_prefix(segments: Sequence[str]) -> str:
    prefix = ""
    for segment in segments:
        if segment == MANY:
            return prefix
        literal, star, _ = segment.partition("*")
        prefix += "/" + literal
        if star:
            return prefix
    return prefix


def _freshest(segment: str) -> str:
    """The segment with something unheard-of in each of its gaps."""
    return segment.replace("*", _FRESH)


def is_one(segment: str) -> bool:
    """Whether a segment of a pattern matches any one segment."""
    return segment != MANY and segment != "" and not segment.strip("*")


def pieces_of(segment: str) -> tuple[str, ...]:
    """What a partial wildcard (`zone*`, `a*b`) asks for between its gaps; see `fits`."""
    return tuple(segment.split("*"))


def fits(pieces: tuple[str, ...], segment: str) -> bool:
    """Whether a segment is these pieces in this order, with anything between them."""
    first, last = pieces[0], pieces[-1]
    end = len(segment) - len(last)
    if end < len(first) or not segment.startswith(first) or not segment.endswith(last):
        return False
    at = len(first)
    for piece in pieces[1:-1]:
        at = segment.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True
