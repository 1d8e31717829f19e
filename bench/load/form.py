"""What a load is told, and what comes of it; both travel as JSON between two processes."""

from dataclasses import dataclass

PIPELINED, ONE_PER_TICK = "pipelined", "one per tick"


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent, by how many, to how many, and how fast."""

    speech: str
    """A name that `bench.speech` knows."""
    port: int = 0
    host: str = "127.0.0.1"
    writers: int = 1
    readers: int = 1
    groups: int = 1
    """Readers come in so many groups, and messages go to each group in turns."""
    window: int = 4_000
    """Messages of one writer on their way; 1 makes each a tick of its own."""
    horizon_s: float = 0.25
    """A server slower than that finds less on the way than the window; 0: the window alone counts."""
    rate_per_s: float = 0.0
    """0: as fast as the window lets them go."""
    seconds: float = 0.5

    @property
    def copies(self) -> int:
        """How many readers each message goes to."""
        return self.readers // self.groups

    @property
    def regime(self) -> str:
        """How it is sent, as a row says it."""
        if self.rate_per_s:
            return f"{self.rate_per_s / 1_000:g} k msg/s"
        return ONE_PER_TICK if self.window == 1 else PIPELINED


@dataclass(slots=True)
class Result:
    """What came of a load."""

    sent: int = 0
    delivered: int = 0
    acknowledged: int = 0
    seconds: float = 0.0
    """Until everything that was sent had arrived."""
    drain_s: float = 0.0
    """Of these, after the last message was sent."""
    cpu_share: float = 0.0
    """Of the generator itself."""
    p50_us: float = 0.0
    p99_us: float = 0.0
    missing: int = 0
    """Deliveries and acknowledgements that never came."""
