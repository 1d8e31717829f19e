"""The time that guests have: it stands still while the router does.

Law: from one reading to the next, at most `step_max_s` pass. A router that was stopped, or starved of its
processor, would else find everybody silent for too long, before it reads what they have said meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable


class PatientClock:
    """Seconds since some moment. It has to be read more often than its steps are long."""

    def __init__(self, steady_s: Callable[[], float], step_max_s: float) -> None:
        self._steady_s = steady_s
        self._step_max_s = step_max_s
        self._now_s = self._read_s = steady_s()

    def read(self) -> float:
        """What time it is for guests."""
        before_s, self._read_s = self._read_s, self._steady_s()
        self._now_s += min(self._read_s - before_s, self._step_max_s)
        return self._now_s
