"""Every example runs as it is printed in the documentation, and shows what it promises."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.interop.node_peer import require_node
from tests.interop.router_process import running_router

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
    "a_view_of_your_own.py": (
        "seen up to 3",
        "seen up to 5",
        "the same when replayed: True",
        "curtain: 3",
        "blackout: 1",
    ),
    "embed_a_router.py": (
        "connected to 'show'",
        "#1 desk: /light/1 = 0.5",
        "#2 desk: /cue/go = {'number': 7}",
    ),
    "two_clients.py": (
        "snapshot: /light/1/level = 0.2",
        "live: revision 2, heard 0.5",
        "refused: 400 /light/1/level",
        "refused: 401 /light/1/level",
        "bundle: param /light/1/level = 1.0",
        "bundle: param /light/2/level = 1.0",
        "bundle: event /light/cue = curtain",
    ),
    "restart_and_recover.py": (
        "before: 1.0, revision 100",
        "meanwhile: ConnectionLost",
        "after: 1.0, revision 100",
        "next: revision 101",
        "followed: #101, incomplete: False",
    ),
    "resume_a_job.py": (
        "completed so far: 0; last entry: #0",
        "working: collect",
        "working: pack",
        "killed",
        "completed so far: 1; last entry: #1",
        "working: pack",
        "working: upload",
        "completed: #1 collect, #2 pack, #3 upload",
        "ended",
    ),
    "replay_an_evening.py": (
        "2 marks, 9 entries in all",
        "/again/cue/go = preset",
        "/again/light/1/level = 0.0",
        "/again/light/1/level = 1.0",
        "/again/cue/go = curtain",
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


async def test_hello_is_said_in_javascript_too(tmp_path: Path) -> None:
    """The npm client says it to a router of ours."""
    node = require_node()
    async with running_router(tmp_path) as router:
        command = [node, str(EXAMPLES / "hello.mjs"), router.url]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        async with asyncio.timeout(PATIENCE_S):
            shown, _ = await process.communicate()
    assert process.returncode == 0
    assert shown.decode().splitlines() == [
        "/hello/level = 0.5",
        "level is 0.5",
        '/hello/cue = {"go":true}',
    ]


def test_every_example_is_run() -> None:
    """A new example names here what it shows."""
    assert {path.name for path in EXAMPLES.glob("*.*")} == {*SHOWN, "hello.mjs"}
