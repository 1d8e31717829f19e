"""Who may come in, and who has to go: HELLO, rights that end, and the limits on bad and too many messages."""

from __future__ import annotations

from clasp_journal.errors import BadInput
from clasp_journal.selection import EVERYTHING
from router.core.access import OPEN
from router.core.answers import EMPTY_SNAPSHOT, at_least_one, packed, packed_error, packed_fault
from router.core.ground import Ground
from router.core.limits import SECOND_US
from router.core.listening import Listening
from router.core.refusal import Refusal
from router.core.session import Session, Stage
from router.wire.codes import ErrorCode
from router.wire.masks import FEATURES_OF_ROUTERS, Feature
from router.wire.messages import Hello, Message, Welcome

POLICY_VIOLATION = 1008
TRY_AGAIN_LATER = 1013

_MINUTE_US = 60 * SECOND_US
_BAD_INPUT = frozenset(
    (
        ErrorCode.INVALID_FRAME,
        ErrorCode.INVALID_MESSAGE,
        ErrorCode.INVALID_ADDRESS,
        ErrorCode.INVALID_PATTERN,
        ErrorCode.INVALID_VALUE,
    )
)
"""What nobody says who speaks the protocol; a lock, a limit or a failing journal can meet anybody."""
_WHY_ENDED = {
    ErrorCode.UNAUTHORIZED: "the token is not valid any more",
    ErrorCode.TOKEN_EXPIRED: "the token has expired",
}


class Admission:
    """The rules at the threshold."""

    def __init__(self, ground: Ground, listening: Listening) -> None:
        self._ground = ground
        self._listening = listening

    def greet(self, session: Session, request: Message, now: int) -> None:
        """The first message of a session."""
        if not isinstance(request, Hello):
            raise Refusal(ErrorCode.INVALID_MESSAGE, "the first message has to be HELLO")
        ground = self._ground
        gate = ground.settings.gate
        access = OPEN if gate is None else gate.admit(request.token or "", session.host, now)
        if len(ground.sessions) >= ground.limits.sessions:
            refusal = f"this router takes {ground.limits.sessions} sessions"
            ground.ports.reply(session, packed_error(ErrorCode.OVERLOADED, refusal))
            self._dismiss(session, TRY_AGAIN_LATER, refusal)
            return
        session.stage = Stage.LIVE
        session.access = access
        self._heed(session)
        session.is_plain = not ground.limits.messages_per_s
        session.name = _cut(request.name, ground.limits.name_bytes)
        session.features = request.features
        ground.sessions[session.id] = session
        ground.ports.reply(session, packed(self._welcome(session, now)))
        if not ground.topics.live:
            ground.ports.reply(session, EMPTY_SNAPSHOT)
        else:
            ground.ports.stream(session, at_least_one(self._listening.snapshot(session, EVERYTHING)))

    def review(self) -> list[Session]:
        """End what rights that have changed no longer permit; the sessions that stay, with others."""
        changed = []
        for session in list(self._ground.sessions.values()):
            access = session.access
            if access.ended is not None:
                reason = _WHY_ENDED[access.ended]
                self._ground.ports.reply(session, packed_error(access.ended, reason))
                self._dismiss(session, POLICY_VIOLATION, reason)
            elif session.heeded != access.generation:
                self._heed(session)
                self._listening.reconsider(session)
                changed.append(session)
        return changed

    def count_message(self, session: Session, now: int) -> None:
        """Refuse what comes too fast."""
        allowed = self._ground.limits.messages_per_s
        if now - session.messages_since >= SECOND_US:
            session.messages_since, session.messages = now, 0
        session.messages += 1
        if session.messages > allowed:
            raise Refusal(ErrorCode.TOO_MANY, f"more than {allowed} messages in a second")

    def answer_fault(self, session: Session, fault: BadInput, now: int) -> None:
        """Say what was wrong; close on who cannot begin, or does not stop."""
        self._ground.ports.reply(session, packed_fault(fault))
        if session.stage is Stage.GREETING:
            self._dismiss(session, POLICY_VIOLATION, str(fault))
        elif fault.code in _BAD_INPUT:
            self._count_error(session, now)

    def _heed(self, session: Session) -> None:
        session.heeded = session.access.generation
        session.author = session.access.subject or session.id

    def _count_error(self, session: Session, now: int) -> None:
        if now - session.errors_since > _MINUTE_US:
            session.errors_since, session.errors = now, 0
        session.errors += 1
        if session.errors > self._ground.limits.errors_per_minute:
            self._dismiss(session, POLICY_VIOLATION, "too many bad messages")

    def _dismiss(self, session: Session, code: int, reason: str) -> None:
        """Close, and do not listen to what was already on its way."""
        session.stage = Stage.DISMISSED
        session.is_plain = False
        self._ground.ports.close(session, code, reason)

    def _welcome(self, session: Session, now: int) -> Welcome:
        settings = self._ground.settings
        features = FEATURES_OF_ROUTERS | Feature.JOURNAL if settings.has_journal else FEATURES_OF_ROUTERS
        return Welcome(now, session.id, settings.name, features=int(features))


def _cut(name: str, max_bytes: int) -> str:
    """It goes to the journal with all that is written, which it would make a thousand times as long."""
    return name.encode()[:max_bytes].decode(errors="ignore")
