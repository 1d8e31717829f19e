"""What is due later, kept without a clock.

Laws: the core never waits. It notes what is to be done at which time; whoever has a clock calls `advance` and
learns when to call again. However much is due at once, one call does a bounded part of it; what was called
off takes no room for long.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

Task = Callable[[int], None]
"""Called with the time it is."""

EFFORT_AT_ONCE = 500
"""What one `advance` does; a SET is about 1."""

_IDLE_MAX = 100


class Note:
    """One thing to be done. Without a task it is done, or was called off."""

    __slots__ = ("due", "effort", "task")

    def __init__(self, due: int, task: Task, effort: int) -> None:
        self.due = due
        self.task: Task | None = task
        self.effort = effort


class Agenda:
    """Tasks by the time they are due; those due at the same time run in the order they were noted."""

    def __init__(self) -> None:
        self._notes: list[tuple[int, int, Note]] = []
        self._noted = 0
        self._idle = 0

    def __len__(self) -> int:
        return len(self._notes)

    def note(self, due: int, task: Task, effort: int = 1) -> Note:
        """Run `task` when it is `due`."""
        self._noted += 1
        note = Note(due, task, effort)
        heapq.heappush(self._notes, (due, self._noted, note))
        return note

    def cancel(self, note: Note) -> None:
        """Call off what was noted, if it is not done yet."""
        if note.task is None:
            return
        note.task = None
        self._idle += 1
        if self._idle > len(self._notes) // 2 + _IDLE_MAX:
            self._notes[:] = [item for item in self._notes if item[2].task is not None]
            heapq.heapify(self._notes)
            self._idle = 0

    def advance(self, now: int) -> None:
        """Run what is due, in order, until all is done or it was enough for once."""
        notes = self._notes
        effort = 0
        while notes and notes[0][0] <= now and effort < EFFORT_AT_ONCE:
            note = heapq.heappop(notes)[2]
            task, note.task = note.task, None
            if task is None:
                self._idle -= 1
                continue
            effort += note.effort
            task(now)

    @property
    def next_due(self) -> int | None:
        """When to call `advance` again; in the past if it left something undone."""
        return self._notes[0][0] if self._notes else None
