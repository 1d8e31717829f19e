"""What is due later, kept without a clock.

Law: the core never waits. It notes what is to be done at which time; whoever has a clock calls
`advance` and learns when to call again.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

Task = Callable[[int], None]
"""Called with the time it is."""


class Agenda:
    """Tasks by the time they are due; those due at the same time run in the order they were noted."""

    def __init__(self) -> None:
        self._tasks: list[tuple[int, int, Task]] = []
        self._noted = 0

    def note(self, due: int, task: Task) -> None:
        """Run `task` when it is `due`."""
        self._noted += 1
        heapq.heappush(self._tasks, (due, self._noted, task))

    def advance(self, now: int) -> None:
        """Run all that is due."""
        tasks = self._tasks
        while tasks and tasks[0][0] <= now:
            heapq.heappop(tasks)[2](now)

    @property
    def next_due(self) -> int | None:
        """When to call `advance` again."""
        return self._tasks[0][0] if self._tasks else None
