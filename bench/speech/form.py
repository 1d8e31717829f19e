"""What every protocol comes down to for a load: how to enter, what to send, and how to count what comes.

Laws: all messages of a run have one size in each direction, or a fixed number of line ends, so that counting
bytes or lines counts messages. Every payload is eight bytes, at the same place: a stamp, when it is timed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

ADDRESSES = 1_000
PAYLOAD = b"\x3f\xe0" + bytes(6)
"""0.5, as eight bytes."""

Count = Callable[[bytes], int]
"""How many units (bytes, or line ends) of messages are in what came."""


class Step(NamedTuple):
    """One exchange on the way in: what to say, and what to hear before going on."""

    say: bytes
    hear: bytes


@dataclass(frozen=True, slots=True)
class Speech:
    """One protocol, one kind of message."""

    frames: Sequence[bytes]
    """One per address, as a client sends them; address number `n` belongs to group `n % groups`."""
    stamp_from_end: int
    """Where the payload is in a frame; in a delivery, `delivery_stamp_from_end`."""
    delivery_units: int
    delivery_stamp_from_end: int
    writer_enters: Callable[[int], list[Step]]
    """What client number so-and-so says and hears before it may send."""
    reader_enters: Callable[[int, int], list[Step]]
    """The same for a reader (its number, its group) that then gets what belongs to its group."""
    ack_units: int = 0
    """0: nothing is acknowledged."""
    hears: Callable[[], Count] = lambda: len
    """For each connection, what counts units."""
    counts_acks: Callable[[], Count] = lambda: len
    unwraps: Callable[[], Callable[[bytes], bytes]] = lambda: bytes
    """For each timed reader, what takes the WebSocket frames off; a frame that is a message stays."""


def address(group: int, number: int, separator: str = "/") -> str:
    """What is written to; readers of the group get everything below `bench` and the group."""
    return separator.join(("bench", str(group), "light", f"{number:04}"))


def addresses(groups: int, separator: str = "/") -> list[str]:
    """All of them, the groups in turns."""
    return [address(number % groups, number, separator) for number in range(ADDRESSES)]


def lines(data: bytes) -> int:
    """Line ends: what answers of varying length have in common."""
    return data.count(b"\n")
