"""What a program may say about the past it wants."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypedDict

from clasp_journal.entry import SignalType
from router.client.history import Position, State, Wish
from router.wire.masks import mask_of_signals
from router.wire.messages import Replay


class PastOptions(TypedDict, total=False):
    """What narrows the past down. Times are microseconds since the Unix epoch, bounds included."""

    from_us: int
    to_us: int
    limit: int
    """Of the past; what follows it is not counted."""
    types: Iterable[SignalType]
    author: str
    """A subject, a session id, or the name that a client gave itself."""
    newest: bool
    """The newest `limit`, not the oldest; still oldest first."""
    journal_kinds: bool
    """Also the entries that the journal writes for itself."""
    since: Position
    """Start behind this place."""
    follow: bool
    """Go on with what is being written."""
    on_incomplete: Callable[[State], None]
    """Told the params as they are, when entries that a follower should have had are gone."""


def make_wish(pattern: str, options: PastOptions, *, only_new: bool = False) -> Wish:
    """The wish for what a program says."""
    follow, newest = options.get("follow", False), options.get("newest", False)
    if follow and "to_us" in options:
        raise ValueError("what follows has no end: leave out `to_us`, or `follow`")
    if newest and "limit" not in options:
        raise ValueError("the newest how many? `newest` needs a `limit`")
    request = Replay(
        pattern,
        options.get("from_us"),
        options.get("to_us"),
        options.get("limit"),
        mask_of_signals(options.get("types", ())),
    )
    return Wish(
        request,
        author=options.get("author"),
        newest=newest,
        journal_kinds=options.get("journal_kinds", False),
        follow=follow,
        since=options.get("since"),
        only_new=only_new,
        on_incomplete=options.get("on_incomplete"),
    )
