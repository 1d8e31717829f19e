"""When to ask a silent peer whether it is there, and when to stop waiting for it. Pure: it is told the time.

Laws: only received bytes prove life, whatever they are; a peer that we do not read at the moment cannot prove
anything and is excused. Traffic is bytes in either direction that are not pings and pongs.
Nothing is a timer here: a sweep over all connections asks each one, and asking is cheap.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Verdict(Enum):
    """What a sweep should do with a connection."""

    LEAVE = "leave it"
    PING = "ask it"
    SILENT = "it did not answer"
    IDLE = "nothing has been said for too long"


class Signs(NamedTuple):
    """How a connection looks at this moment; the counts only ever grow."""

    received_bytes: int
    traffic_bytes: int
    is_excused: bool


class Keepalive:
    """The patience with one peer; a limit of 0 s is endless."""

    __slots__ = (
        "_asked",
        "_heard_at_s",
        "_ping_after_s",
        "_received_bytes",
        "_session_timeout_s",
        "_traffic_at_s",
        "_traffic_bytes",
    )

    def __init__(self, ping_after_s: float, session_timeout_s: float, now_s: float) -> None:
        self._ping_after_s = ping_after_s
        self._session_timeout_s = session_timeout_s
        self._heard_at_s = now_s
        self._traffic_at_s = now_s
        self._received_bytes = 0
        self._traffic_bytes = 0
        self._asked = False

    def judge(self, now_s: float, signs: Signs) -> Verdict:
        """What has come of the time since the last call."""
        if signs.traffic_bytes != self._traffic_bytes:
            self._traffic_bytes = signs.traffic_bytes
            self._traffic_at_s = now_s
        if signs.received_bytes != self._received_bytes or signs.is_excused:
            self._received_bytes = signs.received_bytes
            self._heard_at_s = now_s
            self._asked = False
        if self._session_timeout_s and now_s - self._traffic_at_s >= self._session_timeout_s:
            return Verdict.IDLE
        if not self._ping_after_s:
            return Verdict.LEAVE
        silent_s = now_s - self._heard_at_s
        if self._asked:
            return Verdict.SILENT if silent_s >= 2 * self._ping_after_s else Verdict.LEAVE
        if silent_s >= self._ping_after_s:
            self._asked = True
            return Verdict.PING
        return Verdict.LEAVE
