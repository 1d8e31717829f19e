"""Who wants what: a trie of patterns, and the groups of sessions that it gives for an address.

Laws: the trie is a faster way to ask `Pattern.matches`, and gives the same answers, in a time that hostile
patterns cannot make long; a session stands in a group once, however many of its subscriptions match; equal
groups are one object, so that messages in a row for the same group are joined once for all of them; nobody
keeps a group for longer than it is up to date, so that who has left is forgotten. Addresses that match in the
same places of the trie have the same group: it is put together for the first of them only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from clasp_journal.address import MANY, Pattern, fits, is_one, pieces_of
from clasp_journal.entry import SignalType
from router.core.session import Session
from router.core.tails import Tail, Tails, canonical
from router.wire.masks import mask_admits
from router.wire.messages import Subscribe

_REST: Tail = (MANY,)
"""A `**` at the end, which matches whatever follows."""
_PACED_SIGNALS = (SignalType.PARAM, SignalType.STREAM)
_PLACES_MAX = 10_000
"""Sets of places whose group is remembered."""


class Pace(NamedTuple):
    """How updates of one address are thinned out for one session."""

    interval_us: int = 0
    epsilon: float = 0.0

    def loosest(self, other: Pace) -> Pace:
        """The pace that satisfies both."""
        return Pace(min(self.interval_us, other.interval_us), min(self.epsilon, other.epsilon))


class Subscription:
    """One pattern of one session."""

    __slots__ = ("id", "pace", "pattern", "session", "type_mask", "wildcards")

    def __init__(self, session: Session, request: Subscribe, pattern: Pattern) -> None:
        self.session = session
        self.id = request.id
        self.pattern = pattern
        self.wildcards = sum("*" in segment for segment in pattern.segments)
        self.type_mask = request.type_mask
        self.pace = _pace_of(request)


class Readers:
    """The sessions that one message goes to: `members` get all, `paced` get it thinned out."""

    __slots__ = ("members", "paced", "sessions")

    def __init__(self, members: tuple[Session, ...], paced: dict[Session, Pace]) -> None:
        self.members = members
        self.paced = paced
        self.sessions = frozenset(members)

    def __bool__(self) -> bool:
        return bool(self.members or self.paced)


NOBODY = Readers((), {})


class Subscriptions:
    """All subscriptions of all sessions."""

    def __init__(self) -> None:
        self._root = _Node()
        self._by_session: dict[Session, dict[int, Subscription]] = {}
        self._wildcards: Counter[Session] = Counter()
        self._numbers: dict[object, int] = {}
        self._by_places: dict[tuple[int | None, ...], int] = {}
        """The numbers again, by a signal type and the ids of all places that match."""
        self.groups: dict[int, Readers] = {}
        """The groups that are up to date, by number. A number is never used for another group, so that one
        that is not found here says that it has to be looked up again. The dict stays the same."""
        self._group_count = 0
        self.count = 0

    def add(self, subscription: Subscription) -> Subscription | None:
        """File a subscription; one of the same session and id gives way to it, and comes back."""
        replaced = self.remove(subscription.session, subscription.id)
        self._by_session.setdefault(subscription.session, {})[subscription.id] = subscription
        self._wildcards[subscription.session] += subscription.wildcards
        path, tail = _path_and_tail(subscription.pattern)
        node = self._root
        for segment in path:
            node = node.grow(segment)
        node.file(subscription, tail)
        self._changed(1)
        return replaced

    def remove(self, session: Session, subscription_id: int) -> Subscription | None:
        """Drop a subscription, if there is one; it comes back."""
        subscription = self._by_session.get(session, {}).pop(subscription_id, None)
        if subscription is not None:
            self._wildcards[session] -= subscription.wildcards
            self._root.prune(*_path_and_tail(subscription.pattern), subscription)
            self._changed(-1)
        return subscription

    def remove_all(self, session: Session) -> None:
        """Drop what a session had."""
        for subscription_id in list(self.of(session)):
            self.remove(session, subscription_id)
        self._by_session.pop(session, None)
        self._wildcards.pop(session, None)

    def of(self, session: Session) -> Mapping[int, Subscription]:
        """What a session has subscribed to, by id."""
        return self._by_session.get(session, {})

    def wildcards_with(self, subscription: Subscription) -> int:
        """How many segments with wildcards its session will have when this is filed."""
        replaced = self.of(subscription.session).get(subscription.id)
        given_up = 0 if replaced is None else replaced.wildcards
        return self._wildcards[subscription.session] - given_up + subscription.wildcards

    def matching(self, address: str) -> list[Subscription]:
        """The subscriptions whose pattern matches an address."""
        return list(chain.from_iterable(self._places(address)))

    def _places(self, address: str) -> list[set[Subscription]]:
        segments = address[1:].split("/")
        found: list[set[Subscription]] = []
        nodes = [self._root]
        for depth, segment in enumerate(segments):
            reached: list[_Node] = []
            for node in nodes:
                if node.open:
                    found += node.behind(segments, depth)
                node.follow(segment, reached)
            nodes = reached
        for node in nodes:
            if node.subscriptions:
                found.append(node.subscriptions)
            if _REST in node.open:
                found.append(node.open[_REST])
        return found

    def readers(self, address: str, signal: int | None) -> Readers:
        """The group for a message of a signal type at an address (None: whatever types they asked for)."""
        return self.groups[self.group_number(address, signal)]

    def group_number(self, address: str, signal: int | None) -> int:
        """Where that group stands in `groups`, until subscriptions change."""
        places = self._places(address)
        key = signal, *map(id, places)
        number = self._by_places.get(key)
        if number is None:
            if len(self._by_places) >= _PLACES_MAX:
                self._by_places.clear()
            number = self._by_places[key] = self._gather(places, signal)
        return number

    def _gather(self, places: Iterable[set[Subscription]], signal: int | None) -> int:
        members: dict[Session, None] = {}
        paced: dict[Session, Pace] = {}
        for subscription in chain.from_iterable(places):
            if signal is not None and not mask_admits(subscription.type_mask, signal):
                continue
            session, pace = subscription.session, subscription.pace
            if pace is None or signal not in _PACED_SIGNALS:
                members[session] = None
            else:
                paced[session] = pace.loosest(paced[session]) if session in paced else pace
        return self._number({s: p for s, p in paced.items() if s not in members}, members)

    def _number(self, paced: dict[Session, Pace], members: dict[Session, None]) -> int:
        ordered = tuple(sorted(members, key=_session_number))
        thinned = tuple(sorted(paced.items(), key=lambda item: item[0].number))
        key = (ordered, thinned)
        number = self._numbers.get(key)
        if number is None:
            self._group_count += 1
            number = self._numbers[key] = self._group_count
            self.groups[number] = Readers(ordered, dict(thinned)) if ordered or thinned else NOBODY
        return number

    def _changed(self, by: int) -> None:
        self.count += by
        self._numbers.clear()
        self._by_places.clear()
        self.groups.clear()


class _Node:
    """A place in the trie of what stands before the first `**`. No way leads to a place twice."""

    __slots__ = ("_tails", "literals", "one", "open", "partials", "subscriptions")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.partials: dict[str, tuple[tuple[str, ...], _Node]] = {}
        self.one: _Node | None = None
        self.subscriptions: set[Subscription] = set()
        """Those whose pattern ends here."""
        self.open: dict[Tail, set[Subscription]] = {}
        """Those whose pattern goes on with a `**`, by all that comes from there on."""
        self._tails = Tails()

    def file(self, subscription: Subscription, tail: Tail) -> None:
        """Take a subscription in."""
        if not tail:
            self.subscriptions.add(subscription)
            return
        if tail not in self.open:
            self.open[tail] = set()
            if tail != _REST:
                self._tails.add(tail)
        self.open[tail].add(subscription)

    def drop(self, subscription: Subscription, tail: Tail) -> None:
        """Take a subscription out."""
        if not tail:
            self.subscriptions.discard(subscription)
            return
        self.open[tail].discard(subscription)
        if not self.open[tail]:
            del self.open[tail]
            if tail != _REST:
                self._tails.remove(tail)

    def behind(self, segments: Sequence[str], depth: int) -> list[set[Subscription]]:
        """The subscriptions that go on here with a `**`, and match the segments from a depth on."""
        found = [self.open[_REST]] if _REST in self.open else []
        if self._tails:
            found += [self.open[tail] for tail in self._tails.matching(segments[depth:])]
        return found

    def grow(self, segment: str) -> _Node:
        """The child for a segment of a pattern, made if need be."""
        child = self.child(segment)
        if child is not None:
            return child
        child = _Node()
        if is_one(segment):
            self.one = child
        elif "*" in segment:
            self.partials[segment] = (pieces_of(segment), child)
        else:
            self.literals[segment] = child
        return child

    def child(self, segment: str) -> _Node | None:
        """The child for a segment of a pattern."""
        if is_one(segment):
            return self.one
        if "*" in segment:
            partial = self.partials.get(segment)
            return partial[1] if partial else None
        return self.literals.get(segment)

    def follow(self, segment: str, reached: list[_Node]) -> None:
        """Add the places that one segment of an address leads to."""
        literal = self.literals.get(segment)
        if literal is not None:
            reached.append(literal)
        if self.one is not None:
            reached.append(self.one)
        for pieces, child in self.partials.values():
            if fits(pieces, segment):
                reached.append(child)

    def prune(self, path: Sequence[str], tail: Tail, subscription: Subscription) -> None:
        """Take a subscription out, and the branches that carried nothing else."""
        nodes = [self]
        for segment in path:
            child = nodes[-1].child(segment)
            assert child is not None
            nodes.append(child)
        nodes[-1].drop(subscription, tail)
        for segment, parent, child in zip(reversed(path), nodes[-2::-1], nodes[:0:-1], strict=True):
            if not child.is_bare:
                return
            parent.cut(segment)

    def cut(self, segment: str) -> None:
        """Drop the child for a segment."""
        if is_one(segment):
            self.one = None
        elif "*" in segment:
            del self.partials[segment]
        else:
            del self.literals[segment]

    @property
    def is_bare(self) -> bool:
        """Whether nothing is filed here or below."""
        return not (self.subscriptions or self.open or self.literals or self.partials or self.one)


def _path_and_tail(pattern: Pattern) -> tuple[tuple[str, ...], Tail]:
    """What stands before the first `**`, and from there on; the latter is empty if there is none."""
    segments = canonical(pattern.segments)
    at = segments.index(MANY) if MANY in segments else len(segments)
    return segments[:at], segments[at:]


def _session_number(session: Session) -> int:
    return session.number


def _pace_of(request: Subscribe) -> Pace | None:
    options = request.options
    if options is None:
        return None
    interval_us = max(
        1_000_000 // options.max_rate if options.max_rate else 0,
        (options.window_ms or 0) * 1_000,
    )
    epsilon = options.epsilon if options.epsilon and options.epsilon > 0 else 0.0
    return Pace(interval_us, epsilon) if interval_us or epsilon else None
