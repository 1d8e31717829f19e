"""What the journal's bench writes: a show of many lights, and rarely a cue."""

from collections.abc import Iterator

from clasp_journal.entry import EntryKind, JournalEntry, SignalType
from clasp_journal.value import encode

AREAS, FIXTURES = 20, 100
ATTRIBUTES = ("level", "pan", "tilt", "zoom", "focus", "iris", "strobe", "colour")
CUES = 20
CUE_EVERY = 10_000
STOP_EVERY = 250_000
START_US = 1_700_000_000_000_000
STEP_US = 250
"""Between two entries: four thousand a second."""

PATTERNS = {
    "exact": f"/show/3/{FIXTURES // 2}/level",
    "prefix": "/show/3/**",
    "middle wildcard, 2,000 addresses": "/show/*/*/level",
    "middle wildcard, one in 10,000": "/cue/*/go",
    "middle wildcard, one in 250,000": "/cue/*/stop",
    "everything": "/**",
}
"""What is asked, by name."""


def a_show(count: int, first: int = 0, *, only_levels: bool = False) -> Iterator[JournalEntry]:
    """Entries number `first` and following, as a busy show writes them; one value in eight is a colour."""
    levels = [encode(n / 255) for n in range(256)]
    colours = levels if only_levels else [encode([n, 255 - n, 128]) for n in range(256)]
    lights = [f"/show/{area}/{fixture}" for area in range(AREAS) for fixture in range(FIXTURES)]
    addresses = [f"{light}/{attribute}" for light in lights for attribute in ATTRIBUTES]
    for n in range(first, first + count):
        at = START_US + n * STEP_US
        if n % CUE_EVERY == CUE_EVERY // 2:
            act = "stop" if n % STOP_EVERY < CUE_EVERY else "go"
            address = f"/cue/{n // CUE_EVERY % CUES}/{act}"
            yield JournalEntry(at, "operator", address, EntryKind.PUBLISH, SignalType.EVENT, levels[255])
            continue
        mixed = n * 2_654_435_761 & 0xFFFF_FFFF
        address = addresses[mixed * len(addresses) >> 32]
        encoded = (colours if address.endswith("colour") else levels)[mixed & 0xFF]
        yield JournalEntry(
            at, f"desk{n % 5}", address, EntryKind.SET, SignalType.PARAM, encoded, n // 4_000 + 1
        )


def instant_us(n: int) -> int:
    """When entry number `n` of the show was written."""
    return START_US + n * STEP_US
