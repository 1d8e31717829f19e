"""A gate that is a table: each token is its own list of scopes, and may end or change when a test says so."""

from __future__ import annotations

from typing import Any

from router.core.access import Access, Scope
from router.core.ground import Settings
from router.core.refusal import Refusal
from router.wire.codes import ErrorCode
from router.wire.messages import Snapshot, Subscribe
from tests.router.core.desk import Client, Desk


def scopes(text: str) -> list[Scope]:
    """The scopes in a text, between spaces."""
    return [Scope.parse(one) for one in text.split()]


class Gatekeeper:
    """Knows every token; what is no list of scopes is unknown, and so is nothing."""

    def __init__(self) -> None:
        self.given: dict[str, Access] = {}

    def admit(self, token: str, host: str, now: int) -> Access:
        if token not in self.given:
            try:
                held = scopes(token or "nothing")
                self.given[token] = Access(f"who-{len(self.given)}", held)
            except ValueError:
                raise Refusal(ErrorCode.UNAUTHORIZED, "unknown") from None
        return self.given[token]

    def look(self) -> None:
        """Nothing to look at."""

    def settle(self, now: int) -> bool:
        return False


class GuardedDesk(Desk):
    """A desk where everybody needs a token. Keyword arguments are limits."""

    def __init__(self, **limits: int) -> None:
        self.gate = Gatekeeper()
        super().__init__(Settings(gate=self.gate), **limits)
        self.root = self.connect(token="admin:/**")

    def with_scopes(self, text: str) -> Client:
        """A client with these scopes."""
        return self.connect(token=text)

    def snapshot_of(self, address: str) -> Any:
        """The param as one who may do everything hears of it; None if there is none."""
        heard = self.root.say(Subscribe(99, address))
        found = [param for message in heard if isinstance(message, Snapshot) for param in message.params]
        return found[0] if found else None

    def change(self, token: str, text: str) -> None:
        """The token has other scopes from now on, and everybody heeds it."""
        self.gate.given[token].grant("who", scopes(text))
        self.core.review()
