"""What all parts of the core stand on: the stores, the limits and the ports."""

from __future__ import annotations

from dataclasses import dataclass, field

from clasp_journal.entry import TTL_NEVER
from router.core.access import Gate
from router.core.agenda import Agenda
from router.core.limits import Limits
from router.core.ports import Ports
from router.core.refusal import Refusal
from router.core.session import Session
from router.core.subscriptions import Subscriptions
from router.core.tally import Tally
from router.core.topics import Topics
from router.wire.codes import ErrorCode


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator decides about the core."""

    name: str = "clasp-router"
    default_ttl: int = TTL_NEVER
    """The TTL word of a param whose first SET brings none."""
    has_journal: bool = True
    gate: Gate | None = None
    """Who knows the tokens; None: everybody may do everything."""


@dataclass(slots=True)
class Ground:
    """One router's state, shared by the handlers."""

    ports: Ports
    limits: Limits
    settings: Settings
    topics: Topics
    subscriptions: Subscriptions = field(default_factory=Subscriptions)
    agenda: Agenda = field(default_factory=Agenda)
    sessions: dict[str, Session] = field(default_factory=dict)
    """The live ones, by id."""
    tally: Tally = field(default_factory=Tally)
    accepting: bool = True
    """False while the journal cannot write and the operator wants writes refused then."""

    def demand_accepting(self) -> None:
        """Refuse a write while none may be accepted."""
        if not self.accepting:
            raise Refusal(ErrorCode.INTERNAL, "the journal cannot write; nothing is accepted until it can")
