"""What the client knows of the params: the newest value of every address that the router has told it.

Fed by the SNAPSHOT after WELCOME, by every later SNAPSHOT, and by SETs of subscribed addresses. An address
without a subscription grows old here until it is asked for; one that expired is forgotten at the next
connect.

Bound: `PARAMS_MAX` addresses, as many as a router holds; those beyond are not remembered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from clasp_journal.entry import ParamSnapshot
from clasp_journal.value import Value

PARAMS_MAX = 1_000_000


class Params(Mapping[str, Value]):
    """Address to value, read-only; values are decoded when looked at."""

    def __init__(self) -> None:
        self._known: dict[str, ParamSnapshot] = {}
        self._unconfirmed: set[str] = set()

    def __getitem__(self, address: str) -> Value:
        return self._known[address].value

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def param(self, address: str) -> ParamSnapshot:
        """Everything known of one param; a writer or time that was not told is empty or 0."""
        return self._known[address]

    def learn(self, param: ParamSnapshot) -> bool:
        """Take in what the router says; whether it was news."""
        known = self._known.get(param.address)
        self._unconfirmed.discard(param.address)
        if known is None and len(self._known) >= PARAMS_MAX:
            return True
        self._known[param.address] = param
        return known is None or known.revision != param.revision or known.encoded != param.encoded

    def begin(self) -> None:
        """A new connection tells all of it from the start."""
        self._unconfirmed = set(self._known)

    def finish(self) -> None:
        """It has told all: what it did not name is gone."""
        for address in self._unconfirmed:
            del self._known[address]
        self._unconfirmed = set()
