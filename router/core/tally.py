"""What has happened at a router so far, as numbers that only grow.

Law: counting costs next to nothing: a run of messages is counted once, anything else by one addition.
"""

from __future__ import annotations

from collections import Counter


class Tally:
    """One router's counts."""

    __slots__ = (
        "conflated",
        "deliveries",
        "dropped",
        "errors",
        "gestures_thinned",
        "paced",
        "publishes",
        "received",
        "refused",
        "sets",
        "too_slow",
    )

    def __init__(self) -> None:
        self.sets = 0
        """SETs that took the short way."""
        self.publishes = 0
        """PUBLISHes that did."""
        self.received: Counter[str] = Counter()
        """All other messages, by type."""
        self.refused: Counter[str] = Counter()
        """Connections that a door did not let in, by reason."""
        self.errors: Counter[int] = Counter()
        """ERRORs that were answered, by code."""
        self.deliveries = 0
        """Messages handed to readers, one for each reader."""
        self.conflated = 0
        """Updates that a newer one replaced while their reader was slow; of readers who have left."""
        self.dropped = 0
        """Samples that a slow reader did not get; of readers who have left."""
        self.paced = 0
        """Updates left out because their reader asked for fewer."""
        self.gestures_thinned = 0
        """Moves of gestures that a newer one replaced."""
        self.too_slow = 0
        """Sessions closed because they could not take their events."""
