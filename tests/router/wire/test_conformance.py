"""The conformance runner, as the program that it is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
VECTORS = TESTS / "vectors"


def run(*files, cwd):
    """The finished process of one run."""
    command = [sys.executable, TESTS / "conformance.py", *files]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("name", ["frames", "bad_frames", "addresses"])
def test_every_row_of_the_vectors_passes(name, tmp_path):
    """From any directory; the last line counts the rows."""
    path = VECTORS / f"{name}.json"
    done = run(path, cwd=tmp_path)
    rows = json.loads(path.read_text(encoding="utf-8"))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.splitlines()[-1] == f"{len(rows)} passed, 0 failed"


PING = {
    "name": "ping",
    "hex": "5301000141",
    "decoded": {
        "type": "PING",
        "encoding": "binary",
        "frame": {"qos": 0, "timestamp": None, "encrypted": False, "compressed": False, "version": 1},
    },
    "canonical_encode": True,
}
SET = {
    **PING,
    "hex": "5301000e21070002 2f61 3ff0000000000000".replace(" ", ""),
    "decoded": {
        **PING["decoded"],
        "type": "SET",
        "address": "/a",
        "value": 1.0,
        "revision": None,
        "lock": False,
        "unlock": False,
        "ttl": None,
    },
}


def with_value(value):
    """The SET row, saying that its value is another one."""
    return {**SET, "decoded": {**SET["decoded"], "value": value}}


WRONG_ROWS = [
    {**PING, "hex": "5301000142"},
    {**PING, "hex": "530100024100"},
    {**PING, "decoded": {**PING["decoded"], "type": "PONG"}},
    {**PING, "decoded": {**PING["decoded"], "extra": None}},
    {**PING, "decoded": {**PING["decoded"], "frame": {**PING["decoded"]["frame"], "qos": 1}}},
    with_value(1),
    with_value(True),
    with_value({"$float": "nan"}),
    with_value({"$bytes": "3ff0000000000000"}),
    {"name": "good", "hex": "5301000141", "expected": {"error_code": 101}},
    {"name": "100 not 101", "hex": "53", "expected": {"error_code": 101}},
    {"name": "fine address", "hex": "53010005220002 2f61".replace(" ", ""), "expected": {"error_code": 200}},
    {"pattern": "/a", "address": "/a", "segmentwise": False, "tier": "core"},
    {"pattern": "/a", "address": "/a", "segmentwise": False, "tier": "invalid"},
    {"pattern": "a", "address": "/a", "segmentwise": False, "tier": "core"},
    {"name": "of no kind"},
]


def test_every_wrong_row_fails(tmp_path):
    """A runner that cannot fail would prove nothing: each kind of lie is caught."""
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps([PING, SET, *WRONG_ROWS]), encoding="utf-8")
    done = run(path, cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert lines[-1] == f"2 passed, {len(WRONG_ROWS)} failed"
    assert len(lines) == len(WRONG_ROWS) + 1
