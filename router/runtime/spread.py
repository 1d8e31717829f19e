"""Messages on their way to groups of readers, put together so that each reader gets them in few pieces.

Laws: a reader gets its messages in the order in which they were added, whichever groups they were for;
readers that get the same share the same bytes, joined once for all of them. Two ways come to that. As a rule
the stretches between changes of readers go out one after the other. Where groups keep taking turns, readers
are sorted by the groups that they are in, and each such class gets all that is for it at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from router.core.ports import Fate
from router.core.session import Session
from router.core.subscriptions import Readers
from router.core.topics import Topic

# Looking up a member of an enum costs more than all the rest of a line.
_CONFLATE: Final = Fate.CONFLATE
_ECHO: Final = Fate.ECHO
_TURNS_MIN: Final = 2
"""How often each group has to come up, on average, for sorting the readers to be less work."""


class Stretch:
    """Messages in a row for the same readers, with the same fate."""

    __slots__ = ("excluding", "fate", "joined", "pieces", "readers", "sender")

    def __init__(self, readers: Readers, fate: Fate, sender: Session | None) -> None:
        self.readers = readers
        self.fate = fate
        self.sender = sender
        self.excluding = None if fate is _CONFLATE else sender
        self.joined: list[bytes] = []
        self.pieces: list[tuple[Sequence[bytes], Sequence[Topic]]] = []
        """The same messages one by one and their topics, for readers that are blocked."""

    def fate_for(self, reader: Session) -> Fate:
        """What may become of these messages for one of their readers."""
        return _ECHO if self.fate is _CONFLATE and reader is self.sender else self.fate


Share: TypeAlias = tuple[Iterable[Session], Session | None, bytes, Sequence[Stretch]]
"""What some readers get next: who, except whom, all of it joined, and where it is one by one."""


class Spread:
    """Everything for groups of readers that has not been handed to them."""

    __slots__ = ("_last", "_stretches", "size_bytes")

    def __init__(self) -> None:
        self._stretches: list[Stretch] = []
        self._last: Stretch | None = None
        self.size_bytes = 0
        """Of the messages, each counted once for all its readers."""

    def __bool__(self) -> bool:
        return self._last is not None

    def add(
        self,
        readers: Readers,
        messages: Sequence[bytes],
        topics: Sequence[Topic],
        fate: Fate,
        sender: Session | None,
    ) -> None:
        """Messages, each with its topic, for a group of readers; see `router.core.ports.Ports.deliver`."""
        last = self._last
        if last is None or readers is not last.readers or fate is not last.fate or sender is not last.sender:
            last = self._last = Stretch(readers, fate, sender)
            self._stretches.append(last)
        joined = messages[0] if len(messages) == 1 else b"".join(messages)
        last.joined.append(joined)
        last.pieces.append((messages, topics))
        self.size_bytes += len(joined)

    def take(self) -> Iterable[Share]:
        """All of it, in the order in which it is to be handed out."""
        stretches, self._stretches = self._stretches, []
        self._last = None
        self.size_bytes = 0
        if len(stretches) > _TURNS_MIN:
            turns: dict[tuple[Readers, Session | None], list[int]] = {}
            for at, stretch in enumerate(stretches):
                turns.setdefault((stretch.readers, stretch.excluding), []).append(at)
            if len(stretches) >= _TURNS_MIN * len(turns):
                return _by_class(stretches, turns)
        return [(one.readers.members, one.excluding, _join(one.joined), (one,)) for one in stretches]


def _by_class(
    stretches: list[Stretch], turns: dict[tuple[Readers, Session | None], list[int]]
) -> Iterable[Share]:
    """One share for all readers that are in the same of the groups."""
    groups_of: dict[Session, list[int]] = {}
    for number, (readers, excluding) in enumerate(turns):
        for session in readers.members:
            if session is not excluding:
                groups_of.setdefault(session, []).append(number)
    classes: dict[tuple[int, ...], list[Session]] = {}
    for session, numbers in groups_of.items():
        classes.setdefault(tuple(numbers), []).append(session)
    places = list(turns.values())
    for groups, sessions in classes.items():
        ordered = sorted(at for number in groups for at in places[number])
        theirs = [stretches[at] for at in ordered]
        yield sessions, None, _join([joined for one in theirs for joined in one.joined]), theirs


def _join(parts: list[bytes]) -> bytes:
    return parts[0] if len(parts) == 1 else b"".join(parts)
