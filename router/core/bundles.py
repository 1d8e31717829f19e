"""BUNDLE: several SETs and PUBLISHes as one act.

Laws: all parts are checked before any is applied, each against what those before it will have done; one
refusal refuses all; they are applied in order with nothing of anyone else in between. A bundle for the future
is checked for form and rights when it comes, and for everything when its time has come; until then it is in
memory only.
"""

from __future__ import annotations

from collections.abc import Iterator

from clasp_journal.address import parse_address
from clasp_journal.errors import BadInput
from router.core.answers import packed, packed_fault
from router.core.ground import Ground
from router.core.params import Params, Standing
from router.core.refusal import Refusal
from router.core.session import Session, Stage
from router.core.shares import Shares
from router.core.signals import Signals
from router.wire.codes import ErrorCode
from router.wire.messages import Ack, Bundle, Publish, Set

Part = Set | Publish


class Bundles:
    """The rules of BUNDLE."""

    def __init__(self, ground: Ground, params: Params, signals: Signals) -> None:
        self._ground = ground
        self._params = params
        self._signals = signals
        self._scheduled = Shares("bundles are waiting", ground.limits.scheduled_bundles, ground.limits)

    def receive(self, bundle: Bundle, session: Session, qos: int, now: int) -> None:
        """Do it now, or note it for its time; `BadInput` if it is refused."""
        parts = list(_flatten(bundle))
        if len(parts) > self._ground.limits.bundle_parts:
            raise Refusal(
                ErrorCode.INVALID_VALUE, f"a bundle has at most {self._ground.limits.bundle_parts} parts"
            )
        if bundle.timestamp is None or bundle.timestamp <= now:
            self._execute(parts, session, qos, now)
        else:
            self._schedule(bundle.timestamp, parts, session, qos, now)

    def _schedule(self, due: int, parts: list[Part], session: Session, qos: int, now: int) -> None:
        limits = self._ground.limits
        if due - now > limits.schedule_ahead_us:
            raise Refusal(ErrorCode.INVALID_VALUE, "the bundle's time is too far ahead")
        author = session.author
        self._scheduled.demand(author, 1)
        for part in parts:
            session.access.demand_write(parse_address(part.address))
        self._scheduled.take(author, 1)

        def act(when: int) -> None:
            # Its sender may be another author by then.
            self._scheduled.take(author, -1)
            self._execute_late(parts, session, qos, when)

        self._ground.agenda.note(due, act, 1 + len(parts))

    def _execute_late(self, parts: list[Part], session: Session, qos: int, now: int) -> None:
        try:
            self._execute(parts, session, qos, now)
        except BadInput as fault:
            if session.stage is not Stage.GONE:
                self._ground.ports.reply(session, packed_fault(fault))

    def _execute(self, parts: list[Part], session: Session, qos: int, now: int) -> None:
        self._ground.demand_accepting()
        payloads = self._check(parts, session)
        revision = None
        for part, payload in zip(parts, payloads, strict=True):
            if isinstance(part, Set):
                revision = self._params.apply(part, session, now).revision
            else:
                self._signals.apply(part, payload, qos, session, now)
        if qos and session.stage is not Stage.GONE:
            self._ground.ports.acknowledge(session, (packed(Ack(revision=revision)),), qos)

    def _check(self, parts: list[Part], session: Session) -> list[bytes]:
        """The payloads of the PUBLISHes among the parts (empty for SETs), if nothing is refused."""
        standings: dict[str, Standing] = {}
        payloads = []
        new_params = more_bytes = 0
        for part in parts:
            payload = b""
            if isinstance(part, Set):
                before = standings.get(part.address) or self._params.standing(part.address)
                new_params += not before.exists
                after = standings[part.address] = self._params.check(part, session, before)
                more_bytes += after.room_bytes - before.room_bytes
            else:
                payload = self._signals.check(part, session)
            payloads.append(payload)
        self._params.check_room(new_params, more_bytes)
        return payloads


def _flatten(bundle: Bundle) -> Iterator[Part]:
    for message in bundle.messages:
        if isinstance(message, Bundle):
            yield from _flatten(message)
        elif isinstance(message, (Set, Publish)):
            yield message
