"""A desk with peers in memory, for tests of what the runtime does with a core's decisions."""

from __future__ import annotations

from collections.abc import Callable

from clasp_journal import value as values
from clasp_journal.value import Value
from router.core.ground import Settings
from router.core.limits import Limits
from router.recording.options import OnJournalError
from router.recording.recorder import Recorder
from router.runtime.desk import Desk, DeskSettings
from router.transports.memory import MemoryDoor, MemoryPeer
from router.wire.messages import Hello, Message, Ping, Pong, Publish, Set, SignalType, Snapshot, Subscribe


class Scene:
    """One desk and those who are connected to it."""

    def __init__(
        self,
        recorder: Recorder | None = None,
        limits: Limits | None = None,
        policy: OnJournalError = OnJournalError.STOP,
    ) -> None:
        core = Settings(has_journal=recorder is not None)
        self.desk = Desk(DeskSettings(limits or Limits(), core, policy), recorder)
        self.door = MemoryDoor(self.desk)

    async def join(self, *patterns: str, name: str = "peer") -> MemoryPeer:
        """A session that is greeted and has subscribed."""
        peer = self.door.connect()
        peer.send(Hello(name))
        await peer.until(lambda message: isinstance(message, Snapshot))
        for number, pattern in enumerate(patterns, 1):
            peer.send(Subscribe(number, pattern))
        await settle(peer)
        return peer


async def settle(peer: MemoryPeer) -> None:
    """Wait until everything that the peer sent was handled."""
    peer.send(Ping())
    await peer.until(lambda message: isinstance(message, Pong))


def a_set(address: str, value: Value) -> Set:
    """A SET of a Python value."""
    return Set(address, values.encode(value))


def an_event(address: str, value: Value, signal: SignalType = SignalType.EVENT) -> Publish:
    """A PUBLISH of a Python value."""
    return Publish(address, signal, values.encode(value))


def heard(
    peer: MemoryPeer, kind: type[Message], wanted: Callable[[Message], bool] = lambda _: True
) -> list[Value]:
    """The values of all messages of a kind that reached a peer."""
    return [m.value for m in peer.received if isinstance(m, kind) and wanted(m)]  # type: ignore[attr-defined]
