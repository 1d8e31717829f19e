"""What a session may do: the scopes of its token, asked on every way to a value.

Laws: containment is exact, and scopes count together (`address.cover`); admin implies the rest, write
implies read of the same addresses, and nothing else implies anything; a refusal is the same whether there is
something or not; rights that change or end do so for all sessions of the token at once.

Read opens what is (SNAPSHOT, GET, SUBSCRIBE, QUERY), history what was (REPLAY, ENTRIES, JOURNAL_DO), write
what changes it (SET, PUBLISH, BUNDLE, ANNOUNCE); admin over everything lets a session change the journal.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple, Protocol, Self

from clasp_journal.address import Pattern, cover
from clasp_journal.selection import EVERYTHING
from router.core.refusal import Refusal
from router.wire.codes import ErrorCode

_REMEMBERED_MAX = 10_000
"""Addresses of one token that were judged already; beyond them all are judged anew."""


class Right(StrEnum):
    """What a scope can open."""

    READ = "read"
    WRITE = "write"
    HISTORY = "history"
    ADMIN = "admin"


_IMPLIED_BY = {
    Right.READ: (Right.READ, Right.WRITE, Right.ADMIN),
    Right.WRITE: (Right.WRITE, Right.ADMIN),
    Right.HISTORY: (Right.HISTORY, Right.ADMIN),
    Right.ADMIN: (Right.ADMIN,),
}


class Scope(NamedTuple):
    """One right over the addresses that a pattern matches, like `read:/lights/**`."""

    right: Right
    pattern: Pattern

    @classmethod
    def parse(cls, text: str) -> Self:
        """The scope that a text spells; otherwise `ValueError` with an example."""
        name, _, pattern = text.partition(":")
        if name not in set(Right):
            raise ValueError(f"{text!r} is no scope like read:/lights/** (or write:, history:, admin:)")
        try:
            return cls(Right(name), Pattern.parse(pattern))
        except ValueError as fault:
            raise ValueError(f"{text!r} is no scope like {name}:/lights/**: {fault}") from None

    def __str__(self) -> str:
        return f"{self.right}:{self.pattern.text}"


class Access:
    """The rights of one token, shared by all sessions that came with it."""

    __slots__ = (
        "_patterns",
        "_prefixes",
        "_whole",
        "ended",
        "generation",
        "subject",
        "writable",
        "writes_all",
    )

    def __init__(self, subject: str | None, scopes: Iterable[Scope]) -> None:
        self.generation = 0
        """Another one after each change."""
        self.grant(subject, scopes)

    def grant(self, subject: str | None, scopes: Iterable[Scope]) -> None:
        """From now on, this is who it is and what they may do."""
        held = tuple(scopes)
        self.ended: ErrorCode | None = None
        """Why there are no rights any more: 300 or 302."""
        self.subject = subject
        """Who writes, as entries name them; None: the session itself."""
        self._patterns = {
            right: tuple(dict.fromkeys(s.pattern for s in held if s.right in _IMPLIED_BY[right]))
            for right in Right
        }
        self._prefixes = {right: tuple(p.prefix for p in found) for right, found in self._patterns.items()}
        self._whole = {right for right in Right if cover(self._patterns[right], EVERYTHING)}
        self.writes_all = Right.WRITE in self._whole
        self.writable: set[bytes] = set()
        """Addresses that may be written, as far as somebody has asked."""
        self.generation += 1

    def end(self, code: ErrorCode) -> None:
        """From now on nothing is permitted; the code says why."""
        self.grant(self.subject, ())
        self.ended = code

    def may(self, right: Right, address: str) -> bool:
        """Whether one address is open."""
        # Prefixes decide most of it: a first SNAPSHOT asks this for every param.
        return right in self._whole or (
            address.startswith(self._prefixes[right])
            and any(address.startswith(p.prefix) and p.matches(address) for p in self._patterns[right])
        )

    def may_all(self, right: Right, pattern: Pattern) -> bool:
        """Whether every address is open that a pattern matches."""
        return right in self._whole or cover(self._patterns[right], pattern)

    def may_some(self, right: Right) -> bool:
        """Whether any address is open."""
        return bool(self._patterns[right])

    def patterns(self, right: Right) -> tuple[Pattern, ...]:
        """What is open, taken together."""
        return (EVERYTHING,) if right in self._whole else self._patterns[right]

    def demand(self, right: Right, address: str) -> None:
        """`Refusal` with 301 unless the address is open."""
        if not self.may(right, address):
            raise _forbidden(right, address)

    def demand_all(self, right: Right, pattern: Pattern) -> None:
        """`Refusal` with 301 unless all is open that the pattern matches."""
        if not self.may_all(right, pattern):
            raise _forbidden(right, pattern.text)

    def demand_write(self, address: str) -> None:
        """The same for one address to write to, which is then remembered for the fast forms."""
        if self.writes_all:
            return
        self.demand(Right.WRITE, address)
        if len(self.writable) >= _REMEMBERED_MAX:
            self.writable.clear()
        self.writable.add(address.encode())


OPEN = Access(None, (Scope.parse("admin:/**"),))
"""Everything, for everybody: the rights at a router without tokens."""
CLOSED = Access(None, ())
"""Nothing: the rights of who has not said HELLO."""


class Gate(Protocol):
    """Who knows the tokens. Every door asks here: HELLO, and HTTP where it shows what is inside."""

    def admit(self, token: str, host: str, now: int) -> Access:
        """The rights that a token gives to somebody who comes from this host.

        `Refusal` with 300 if it is missing or unknown, 302 if it has expired, 429 if there were too many
        wrong ones from there. No text that this gives holds the token.
        """

    def look(self) -> None:
        """Find out whether tokens have changed. May block; changes no rights."""

    def settle(self, now: int) -> bool:
        """Let what `look` found and what has expired take effect; whether any rights are others now."""


def _forbidden(right: Right, about: str) -> Refusal:
    return Refusal(ErrorCode.FORBIDDEN, f"the token has no scope {right}: for this", about)
