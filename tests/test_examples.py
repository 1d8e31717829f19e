"""Every example runs as it is printed in the documentation, and shows what it promises."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
PATIENCE_S = 60

SHOWN = {
    "journal_basics.py": (
        "#1 /light/1/level = 0.2",
        "events: [('/cue/go', {'number': 7})]",
        "latest: /light/1/level 1.0",
        "since the cue: /light/1/level from 0.2 to 1.0",
        "compacted 3 entries; 2 are left",
        "still known: ['/light/1/level', '/light/2/colour', '/light/2/level']",
    ),
    "follow_a_journal.py": (
        "history #1 /light/1/level = 0.00",
        "history #10 /light/1/level = 0.47",
        "#20 /light/1/level = 1.00",
    ),
}
"""Lines, or parts of them, that must come, in this order."""


def output_of(example: str) -> str:
    """What an example prints; it must end by itself, and well."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / example)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return done.stdout


@pytest.mark.parametrize("example", sorted(SHOWN))
def test_an_example_shows_what_it_promises(example: str) -> None:
    """In the promised order."""
    output = output_of(example)
    place = 0
    for line in SHOWN[example]:
        assert line in output[place:], f"{line!r} is missing in\n{output}"
        place = output.index(line, place) + len(line)


def test_following_shows_every_entry_once() -> None:
    """History and live are one series, from whichever of the two each entry came."""
    lines = output_of("follow_a_journal.py").splitlines()
    assert [line.split("#")[1].split()[0] for line in lines] == [str(seq) for seq in range(1, 21)]


def test_every_example_is_run() -> None:
    """A new example names here what it shows."""
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(SHOWN)
