"""The README says what the program says."""

import asyncio
import os
import re
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.places import Place
from tests.readme_tables import README, TABLES, filled_in

PATIENCE_S = 120

STORY = (
    "listening on 127.0.0.1:",
    '"mark": "looks-good", "seq": 3',
    '"address": "/lights/front", "value": 0.0, "revision": 2',
    '"names": ["guest"], "entries": 2',
    '"address": "/lights/disco", "change": "new"',
    '"address": "/lights/front", "change": "changed", "before": 0.8, "after": 0.0',
    "    ├── back  0.2\n    └── front  0.8\n",
    '"address": "/lights/disco", "action": "stays"',
    '"address": "/lights/disco", "action": "expire"',
    '"seq": 7,',
    '"seq": 7,',
    '"intact": true',
    "listening on 127.0.0.1:",
    '"address": "/lights/front", "value": 0.8, "revision": 3',
)
"""What the five minutes show, in this order."""


def test_the_tables_of_the_readme_are_those_of_the_program():
    """Whoever changes a limit, a setting or a code runs `python -m tests.readme_tables`."""
    text = README.read_text(encoding="utf-8")
    assert filled_in(text) == text


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_its_place(name):
    """A table that the program can write stands in the README."""
    assert f"<!-- table {name} -->" in README.read_text(encoding="utf-8")


def test_every_target_the_readme_names_is_in_the_makefile():
    """`make something` works as it is written there."""
    makefile = (README.parent / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"`?make ([a-z][a-z-]+)", README.read_text(encoding="utf-8")))
    assert named
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in named)


async def test_the_five_minutes_go_as_they_are_told(tmp_path):
    """Every command, pasted as it stands there; only the port and the place of the files are the test's."""
    told = re.search(r"<!-- story -->\n```sh\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert told is not None
    with Place() as kept:
        out, err = await pasted(told[1], tmp_path, kept.port)
    place = 0
    for shown in STORY:
        assert shown in out[place:], f"{shown!r} is missing in\n{out}\n{err}"
        place = out.index(shown, place) + len(shown)
    assert "1 SET to send; nothing was sent" in err
    assert "2 SETs sent" in err
    assert "Traceback" not in err


async def pasted(commands, folder, port):
    """What a shell shows that is given these commands; whatever it started ends with it."""
    place = f"127.0.0.1:{port}"
    known = {name: text for name, text in os.environ.items() if not name.startswith("CLASP_")}
    programs = f"{Path(sys.executable).parent}{os.pathsep}{known['PATH']}"
    here = {
        "TMPDIR": str(folder),
        "PATH": programs,
        "CLASP_ROUTER_LISTEN": place,
        "CLASP_URL": f"ws://{place}",
    }
    shell = await asyncio.create_subprocess_exec(
        "bash",
        cwd=README.parent,
        env=known | here,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            out, err = await shell.communicate(commands.encode())
    finally:
        with suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)
    return out.decode(), err.decode()
