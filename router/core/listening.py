"""SUBSCRIBE, UNSUBSCRIBE and all requests for the past: what a session wants to hear.

Law: ids of subscriptions and of replays are one space per session; an id that is used again replaces what
it stood for; what is paced begins anew where subscriptions change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from clasp_journal.address import Pattern
from clasp_journal.selection import EVERYTHING
from router.core.access import Access, Right
from router.core.answers import packed_error, snapshots
from router.core.ground import Ground
from router.core.pacing import Pacing
from router.core.refusal import Refusal
from router.core.session import Session
from router.core.subscriptions import Subscription
from router.core.topics import Topic
from router.wire.codes import ErrorCode
from router.wire.history_messages import EXTENSION_VERSION
from router.wire.messages import JournalDo, Replay, Subscribe, Unsubscribe

CHANGING_VERBS = frozenset(("snapshot", "mark", "compact", "forget"))
"""What JOURNAL_DO can change; the other verbs only read."""


class Listening:
    """The rules of subscriptions and replays."""

    def __init__(self, ground: Ground, pacing: Pacing) -> None:
        self._ground = ground
        self._pacing = pacing

    def subscribe(self, session: Session, request: Subscribe, now: int) -> None:
        """File a subscription and send what is there already."""
        pattern = Pattern.parse(request.pattern)
        ground, options = self._ground, request.options
        has_past = options is not None and options.history and ground.settings.has_journal
        session.access.demand_all(Right.READ, pattern)
        if has_past:
            session.access.demand_all(Right.HISTORY, pattern)
        ground.ports.cancel_replay(session, request.id)
        if request.id not in ground.subscriptions.of(session):
            self._check_count(session)
        subscription = Subscription(session, request, pattern)
        if ground.subscriptions.wildcards_with(subscription) > ground.limits.wildcards:
            reason = f"the patterns of a session have at most {ground.limits.wildcards} wildcards"
            raise Refusal(ErrorCode.TOO_MANY, reason)
        replaced = ground.subscriptions.add(subscription)
        self._renew(replaced)
        self._renew(subscription)
        snapshot = self.snapshot(session, pattern)
        if has_past:
            ground.ports.backfill(session, request, snapshot, now)
        else:
            ground.ports.stream(session, snapshot)

    def unsubscribe(self, session: Session, request: Unsubscribe) -> None:
        """Drop a subscription, or end a replay."""
        self._drop(session, request.id)
        self._ground.ports.cancel_replay(session, request.id)

    def replay(self, session: Session, request: Replay, qos: int) -> None:
        """Check a REPLAY, and have the past sent."""
        self._demand_journal("REPLAY")
        session.access.demand_all(Right.HISTORY, Pattern.parse(request.pattern))
        extension = request.extension
        if extension is not None:
            if extension.version != EXTENSION_VERSION:
                raise Refusal(ErrorCode.UNAVAILABLE, f"journal extension {extension.version} is not known")
            self._drop(session, extension.id)
            self._ground.ports.cancel_replay(session, extension.id)
        self._check_count(session)
        self._ground.ports.replay(session, request, qos)

    def journal_do(self, session: Session, request: JournalDo) -> None:
        """Check a JOURNAL_DO, and have the journal asked or told something."""
        self._demand_journal("JOURNAL_DO")
        if request.version != EXTENSION_VERSION:
            raise Refusal(ErrorCode.UNAVAILABLE, f"journal extension {request.version} is not known")
        if request.verb in CHANGING_VERBS:
            self._demand_to_change(session, request.verb)
        elif not session.access.may_some(Right.HISTORY):
            raise Refusal(ErrorCode.FORBIDDEN, f"{request.verb} takes a token with a scope {Right.HISTORY}:")
        self._ground.ports.journal_do(session, request)

    def reconsider(self, session: Session) -> None:
        """End the subscriptions that its rights, which are others now, no longer permit."""
        ports, subscriptions = self._ground.ports, self._ground.subscriptions
        may_all = session.access.may_all
        ended = [s for s in subscriptions.of(session).values() if not may_all(Right.READ, s.pattern)]
        # All go before anything else is done: what waits for one of them is not told by way of another.
        for subscription in ended:
            subscriptions.remove(session, subscription.id)
        for subscription in ended:
            self._renew(subscription)
            ports.cancel_replay(session, subscription.id)
            reason = "the token no longer permits this subscription"
            ports.reply(session, packed_error(ErrorCode.FORBIDDEN, reason, subscription.pattern.text))

    def snapshot(self, session: Session, pattern: Pattern) -> Iterator[bytes]:
        """The SNAPSHOTs with the live values that a pattern matches and the session may read."""
        limits, topics = self._ground.limits, self._matching(pattern)
        if self._ground.settings.gate is not None:
            topics = _readable(topics, session.access)
        return snapshots(topics, limits.snapshot_params, limits.snapshot_bytes)

    def _drop(self, session: Session, subscription_id: int) -> None:
        self._renew(self._ground.subscriptions.remove(session, subscription_id))

    def _renew(self, changed: Subscription | None) -> None:
        if changed is not None:
            self._pacing.renew(changed.session, changed.pattern)

    def _matching(self, pattern: Pattern) -> Iterable[Topic | None]:
        """The topics that a pattern matches; None stands for one that it does not."""
        if pattern.is_literal:
            topic = self._ground.topics.find(pattern.text)
            return () if topic is None else (topic,)
        topics = self._ground.topics.in_order
        if pattern.text == "/**":
            return topics
        prefix, matches = pattern.prefix, pattern.matches
        return (t if t.text.startswith(prefix) and matches(t.text) else None for t in topics)

    def _demand_to_change(self, session: Session, verb: str) -> None:
        if self._ground.settings.gate is not None:
            if not session.access.may_all(Right.ADMIN, EVERYTHING):
                raise Refusal(ErrorCode.FORBIDDEN, f"{verb} takes a token with the scope admin:/**")
        elif not session.is_trusted:
            raise Refusal(ErrorCode.FORBIDDEN, f"{verb} is allowed from this machine only")

    def _check_count(self, session: Session) -> None:
        allowed = self._ground.limits.subscriptions
        if len(self._ground.subscriptions.of(session)) + session.replays >= allowed:
            raise Refusal(ErrorCode.TOO_MANY, f"a session has at most {allowed} subscriptions and replays")

    def _demand_journal(self, what: str) -> None:
        if not self._ground.settings.has_journal:
            raise Refusal(ErrorCode.UNAVAILABLE, f"{what} needs a journal, and this router has none")


def _readable(topics: Iterable[Topic | None], access: Access) -> Iterator[Topic | None]:
    """The topics, and None for one that may not be read by the rights there are when it has its turn."""
    return (t if t is not None and access.may(Right.READ, t.text) else None for t in topics)
