"""A recorder whose journal lives in the process of the router: the ring, or what a program brings along.

Law: it keeps every promise of `Recorder`; only, what the journal costs is paid by the router's loop.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable

from clasp_journal.entry import ParamSnapshot
from clasp_journal.journal import Journal
from router.recording.clerk import Clerk
from router.recording.options import RetentionRules
from router.recording.recorder import Recorder
from router.recording.requests import WHOLE, HistoryRequest, KeepSnapshot, Page, PageRequest, RestoredState
from router.recording.vitals import Vitals


class LocalRecorder(Recorder):
    """Records into a journal that is open already, and closes it at `stop`."""

    def __init__(
        self, journal: Journal, *, snapshot_every_s: float = 30.0, retention: RetentionRules | None = None
    ) -> None:
        super().__init__()
        self._clerk = Clerk(journal, self, snapshot_every_s=snapshot_every_s, retention=retention)
        self._submitted = 0

    @property
    def backlog_bytes(self) -> int:
        return self._clerk.backlog_bytes

    async def start(self) -> RestoredState:
        journal = self._clerk.journal
        state = await self._clerk.restore(self.on_remembered)
        latest_seq = await journal.latest_seq()
        self.epoch = journal.epoch
        await self._clerk.start()
        param_count = len(state.live) + len(state.tombstones)
        return RestoredState(journal.epoch, latest_seq, state.revision_floor, param_count)

    def submit(self, packet: bytes, *, synced: bool, awaited: bool = True) -> int:
        self._submitted += 1
        self._clerk.submit(self._submitted, packet, synced=synced, awaited=awaited)
        return self._submitted

    async def page(self, request: PageRequest) -> Page:
        return await self._clerk.page(request)

    async def history(self, request: HistoryRequest) -> Page:
        return await self._clerk.history(request)

    async def do(
        self, verb: str, encoded_arguments: bytes, author: str = "", within: tuple[str, ...] = WHOLE
    ) -> tuple[int, bytes]:
        return await self._clerk.do(verb, encoded_arguments, author, within)

    def keep_snapshot(self, params: Iterable[ParamSnapshot], revision_floor: int) -> Awaitable[int]:
        return self._clerk.keep_snapshot(KeepSnapshot(list(params), revision_floor))

    async def stop(self) -> None:
        await self._clerk.close()

    # What the clerk tells.

    def committed(self, packet_number: int, first_seq: int, last_seq: int, synced: bool) -> None:
        """Report a commit to the router, which needs no number of the first entry."""
        self.epoch = self._clerk.journal.epoch
        self.on_committed(packet_number, last_seq, synced)

    def trouble(self, reason: str) -> None:
        """Report to the router that appending fails."""
        self.on_trouble(reason)

    def recovered(self) -> None:
        """Report to the router that appending works again."""
        self.on_recovered()

    def working(self) -> None:
        """Report to the router that a long commit has come further."""
        self.on_working()

    def vital(self, vitals: Vitals) -> None:
        """Keep the newest figures for whoever asks."""
        self.vitals = vitals
