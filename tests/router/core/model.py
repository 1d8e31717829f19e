"""What a router is, in the simplest words: a dict of params, and lists of what everybody has to hear."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

from clasp_journal.address import Pattern
from clasp_journal.entry import ttl_is_absolute, ttl_s
from router.wire.messages import Ack, Bundle, Message, ParamSnapshot, Publish, Set, Snapshot

SECOND_US = 1_000_000


class Param(NamedTuple):
    """One address that has, or had, a value."""

    revision: int = 0
    encoded: bytes | None = None
    writer: str = ""
    written: int = 0
    used: int = 0
    ttl: int = 0
    holder: str = ""

    def ends_at(self) -> int:
        """When it is gone, if it has a TTL."""
        return (self.written if ttl_is_absolute(self.ttl) else self.used) + ttl_s(self.ttl) * SECOND_US


class Refused(Exception):
    """The rules say no: an ERROR of this code about this address."""


class Model:
    """The rules of SET, GET, PUBLISH, BUNDLE, SUBSCRIBE, expiry and leaving."""

    def __init__(self) -> None:
        self.params: dict[str, Param] = {}
        self.wishes: dict[str, dict[int, tuple[Pattern, int]]] = {}
        self.heard: dict[str, list[Any]] = defaultdict(list)
        self.recorded: list[Message] = []
        self.expired: list[tuple[str, int]] = []

    def perform(self, who: str, message: Set | Publish | Bundle, qos: int, now: int) -> None:
        """All parts of a message, or an ERROR."""
        parts = message.messages if isinstance(message, Bundle) else [message]
        before = dict(self.params)
        outcomes = []
        try:
            for part in parts:
                outcomes.append(self._set(who, part, now) if isinstance(part, Set) else part)
        except Refused as refusal:
            self.params = before
            self.heard[who].append(refusal.args)
            return
        for outcome in outcomes:
            self._tell(who, outcome)
        self._acknowledge(who, message, outcomes, qos)

    def get(self, who: str, address: str, now: int) -> None:
        """A SNAPSHOT, or silence."""
        param = self.params.get(address, Param())
        if param.encoded is not None:
            self.params[address] = param._replace(used=now)
            self.heard[who].append(Snapshot([self._told(address)]))

    def subscribe(self, who: str, number: int, pattern: str, mask: int) -> None:
        """A wish, and what is there already."""
        wish = Pattern.parse(pattern)
        self.wishes[who][number] = (wish, mask)
        found = [a for a, param in self.params.items() if param.encoded is not None and wish.matches(a)]
        if found:
            self.heard[who].append(Snapshot([self._told(address) for address in found]))

    def expire(self, now: int) -> None:
        """What has run out by now is gone; its revision stays."""
        for address, param in self.params.items():
            if param.encoded is not None and param.ttl and param.ends_at() <= now:
                self.params[address] = Param(param.revision)
                self.expired.append((address, param.revision))

    def leave(self, who: str) -> None:
        """Wishes and locks go."""
        del self.wishes[who]
        self.heard.pop(who, None)
        for address, param in self.params.items():
            if param.holder == who:
                self.params[address] = param._replace(holder="")

    def _set(self, who: str, part: Set, now: int) -> Set:
        param = self.params.get(part.address, Param())
        exists = param.encoded is not None
        if param.holder not in ("", who):
            raise Refused(401, part.address)
        if part.revision not in (None, param.revision, None if exists else 0):
            raise Refused(400, part.address)
        holder = who if part.lock else param.holder
        kept_ttl = param.ttl if exists else 0
        self.params[part.address] = Param(
            param.revision + 1,
            part.encoded,
            who,
            now,
            now,
            kept_ttl if part.ttl is None else part.ttl,
            "" if part.unlock else holder,
        )
        return Set(part.address, part.encoded, param.revision + 1, part.lock, part.unlock, part.ttl)

    def _tell(self, sender: str, outcome: Set | Publish) -> None:
        self.recorded.append(outcome)
        signal = 0 if isinstance(outcome, Set) else outcome.signal
        for who, wishes in self.wishes.items():
            wanted = any(
                pattern.matches(outcome.address) and (mask >> signal & 1 or not mask & 0x1F)
                for pattern, mask in wishes.values()
            )
            if wanted and (who != sender or isinstance(outcome, Set)):
                self.heard[who].append(outcome)

    def _acknowledge(self, who: str, message: Message, outcomes: list[Any], qos: int) -> None:
        revisions = [outcome.revision for outcome in outcomes if isinstance(outcome, Set)]
        if isinstance(message, Bundle):
            if qos:
                self.heard[who].append(Ack(revision=revisions[-1] if revisions else None))
        elif revisions:
            if qos:
                self.heard[who].append(Ack(message.address, revisions[-1]))
        elif qos == 2:
            self.heard[who].append(Ack(message.address))

    def _told(self, address: str) -> ParamSnapshot:
        param = self.params[address]
        return ParamSnapshot(address, param.encoded, param.revision, param.writer, param.written)
