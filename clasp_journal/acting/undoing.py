"""What it takes to bring a subtree back to what it was: a list of SETs, which a router then makes.

Laws: afterwards every param of the subtree that was there then has the value it had, to the bit, and the TTL
it had; what has not changed is not touched; every SET names the revision that it replaces, so that a change
made meanwhile is noticed, not lost. The protocol knows no way to remove a param: one that was not there then
is left as it is, and named, or, if that is asked for, set once more to expire a second later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from clasp_journal.entry import TTL_NEVER, ParamSnapshot, absolute_ttl
from clasp_journal.restore import State, diff

NO_PARAM = 0
"""The revision to expect where no param is."""
FAREWELL_S = 1


class Step(NamedTuple):
    """One SET."""

    address: str
    encoded: bytes
    revision: int
    """The revision that it expects to replace."""
    ttl: int | None
    """The TTL word, if it has to change."""
    now: ParamSnapshot | None
    then: ParamSnapshot | None
    """None: the param is to go."""


class Undo(NamedTuple):
    """All that is to be done, and what cannot be."""

    steps: list[Step]
    left: list[ParamSnapshot]
    """Params that were not there then, and stay."""


def plan_undo(then: State, now: State, wanted: Callable[[str], bool], *, expire_new: bool = False) -> Undo:
    """What leads the wanted addresses from `now` back to `then`."""
    steps: list[Step] = []
    left: list[ParamSnapshot] = []
    for change in diff(now, then):
        if not wanted(change.address):
            continue
        is_now, was = change.before, change.after
        if was is not None:
            steps.append(_return(was, is_now))
        elif is_now is not None and expire_new:
            steps.append(_farewell(is_now))
        elif is_now is not None:
            left.append(is_now)
    return Undo(steps, left)


def _return(was: ParamSnapshot, is_now: ParamSnapshot | None) -> Step:
    assert was.encoded is not None
    ttl = was.ttl or TTL_NEVER
    has_it = is_now is not None and (is_now.ttl or TTL_NEVER) == ttl
    revision = is_now.revision if is_now else NO_PARAM
    return Step(was.address, was.encoded, revision, None if has_it else ttl, is_now, was)


def _farewell(param: ParamSnapshot) -> Step:
    assert param.encoded is not None
    return Step(param.address, param.encoded, param.revision, absolute_ttl(FAREWELL_S), param, None)
