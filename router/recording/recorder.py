"""The journal as the router sees it: hand over packets, be told what is committed, ask for history.

Laws: packets become entries in the order of `submit`, each packet wholly or not at all, exactly once,
whatever happens to the journal's process in between; what has been submitted stays here until it is
reported as committed (`backlog_bytes` is what that amounts to: whoever submits has to look at it and hold
back); a request is answered from a journal that holds everything that was submitted before it, unless
the journal is in trouble.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Iterable
from typing import Protocol

from clasp_journal.entry import ParamSnapshot
from router.recording.requests import WHOLE, HistoryRequest, Page, PageRequest, RestoredState
from router.recording.vitals import Vitals


class Remembered(Protocol):
    """Told the state that the journal remembers, in parts, while it is opened."""

    def __call__(self, params: list[ParamSnapshot]) -> None:
        """Live ones and tombstones, the oldest tombstone first. Of an address that is told twice, the last
        counts; if `start` fails, none does."""


class Committed(Protocol):
    """Told when packets have become entries."""

    def __call__(self, packet_number: int, last_seq: int, synced: bool) -> None:
        """Every packet up to this number is committed; `last_seq` is the number of its last entry. With
        `synced`, all of them survive the loss of power too."""


class Trouble(Protocol):
    """Told when the journal can write no longer."""

    def __call__(self, reason: str) -> None:
        """Nothing is lost: it is tried again until it works. Called once until `on_recovered`."""


class Working(Protocol):
    """Told that the journal works on what it was handed."""

    def __call__(self) -> None:
        """A commit takes long, and has come further."""


class Recovered(Protocol):
    """Told when the journal can write again."""

    def __call__(self) -> None:
        """What had waited is being written now."""


class Recorder(ABC):
    """Where the router's history goes. All calls belong to one event loop.

    The callbacks are attributes; they must be set before `start` and must not raise.
    """

    epoch: str = ""
    """The life of the journal; known once `start` has returned. A new one may begin when the journal's
    process has to be started again."""
    on_remembered: Remembered
    on_committed: Committed
    on_trouble: Trouble
    on_recovered: Recovered
    on_working: Working

    def __init__(self) -> None:
        self.on_remembered = _ignore_params
        self.on_committed = _ignore_commit
        self.on_trouble = _ignore_trouble
        self.on_recovered = _ignore_recovery
        self.on_working = _ignore_work
        self.vitals = Vitals()
        """How the journal was when it last had news; see there."""

    @property
    @abstractmethod
    def backlog_bytes(self) -> int:
        """The size of all packets that are submitted and not yet reported as committed."""

    @abstractmethod
    async def start(self) -> RestoredState:
        """Open the journal and tell the state it remembers. Raises a `JournalError` if it cannot be
        opened; waits up to ten seconds, with a line in the log, for a writer that is about to end."""

    @abstractmethod
    def submit(self, packet: bytes, *, synced: bool, awaited: bool = True) -> int:
        """Hand over a packet of the feed and return its number, which is one higher than the last.
        Returns at once. With `synced` its commit, and with it all before, survives the loss of power;
        one that is not `awaited` may be committed a moment later, together with others."""

    @abstractmethod
    async def page(self, request: PageRequest) -> Page:
        """A page of history. Cancelling the caller ends the wait. Raises `JournalError`."""

    @abstractmethod
    async def history(self, request: HistoryRequest) -> Page:
        """The past of a new subscription, as one page of plain frames in order of number."""

    @abstractmethod
    async def do(
        self, verb: str, encoded_arguments: bytes, author: str = "", within: tuple[str, ...] = WHOLE
    ) -> tuple[int, bytes]:
        """What JOURNAL_DO asks, in the name of an author who may know what these patterns match: status and
        encoded map of JOURNAL_DONE. Never raises for what a peer can ask, nor for a journal in trouble."""

    @abstractmethod
    def keep_snapshot(self, params: Iterable[ParamSnapshot], revision_floor: int) -> Awaitable[int]:
        """Keep this as the state after all that was submitted before this call, whenever it is awaited; the
        number at which that is. For when the router did something that the journal does not know of. The
        awaited result may be a `JournalError`."""

    @abstractmethod
    async def stop(self) -> None:
        """Commit what is left, take a last snapshot, close. Whoever calls bounds the time; if cancelled,
        the journal's process still finishes what it has got, on its own."""


def _ignore_params(params: list[ParamSnapshot]) -> None:
    pass


def _ignore_commit(packet_number: int, last_seq: int, synced: bool) -> None:
    pass


def _ignore_trouble(reason: str) -> None:
    pass


def _ignore_recovery() -> None:
    pass


def _ignore_work() -> None:
    pass
