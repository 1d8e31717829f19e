"""Wall clocks: which instants a date and time of day can mean somewhere on earth.

Law: where clocks are set back a wall time means two instants, where they are set forward none; nobody
guesses which one was meant.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from clasp_journal.errors import BadInput

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)


class Zone:
    """A time zone; without one of its own, that of the machine."""

    def __init__(self, rules: tzinfo | None = None) -> None:
        self._rules = rules

    @classmethod
    def named(cls, name: str) -> Zone:
        """The zone of the time zone database with this name, like Europe/Vienna."""
        from zoneinfo import ZoneInfo

        try:
            return cls(ZoneInfo(name))
        except (OSError, ValueError, KeyError):
            raise BadInput(f"there is no time zone {name!r}; examples: Europe/Vienna, UTC") from None

    def wall(self, at_us: int) -> datetime:
        """What a clock there shows; `OverflowError` beyond the year 9999."""
        return (EPOCH + at_us * _US).astimezone(self._rules)

    def instants(self, wall: datetime) -> list[int]:
        """The instants, in microseconds, at which a clock there shows this: none, one or two."""
        found: list[int] = []
        for fold in (0, 1):
            there = wall.replace(fold=fold, tzinfo=self._rules)
            if self._rules is None:
                there = there.astimezone()
            at_us = (there - EPOCH) // _US
            if self.wall(at_us).replace(tzinfo=None, fold=0) == wall and at_us not in found:
                found.append(at_us)
        return found


UTC_ZONE = Zone(UTC)
LOCAL_ZONE = Zone()
