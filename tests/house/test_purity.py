"""Pure modules are pure; tasks have parents."""

import pytest

from tests.house.purity import find_impurities, find_stray_tasks
from tests.house.source import report


def test_the_pure_modules_are_pure(house):
    """Words, wire and core know no clock, no loop, no file and no chance."""
    findings = find_impurities(house)
    assert not findings, report(findings)


def test_tasks_are_started_where_they_are_watched(house):
    """Only what records or runs a router, the doors, the client and the daemon start tasks."""
    findings = find_stray_tasks(house)
    assert not findings, report(findings)


@pytest.mark.parametrize(
    ("path", "text", "complaint"),
    [
        ("clasp_journal/value.py", "import os.path", "imports os.path"),
        ("clasp_journal/entry.py", "from time import time_ns", "imports time"),
        ("router/core/session.py", "def f():\n    import random", "imports random"),
        ("router/core/deep/er.py", "async def f(): ...", "f is async"),
        ("router/wire/codec.py", "x = open('f')", "opens no file"),
        ("clasp_journal/restore.py", "import datetime\nx = datetime.datetime.now()", "reads no clock"),
    ],
)
def test_an_impurity_is_named(shed, path, text, complaint):
    """Each way out of a pure module is found."""
    (finding,) = find_impurities(shed({path: text}))
    assert finding.startswith(f"{path}:")
    assert complaint in finding


def test_the_rest_of_the_house_may_touch_the_world(shed):
    """Purity binds the pure modules alone, and their own words are not mistaken for the world's."""
    root = shed(
        {
            "router/runtime/outbox.py": "import asyncio, time",
            "clasp_journal/memory.py": "async def append(): open('f')",
            "router/core/session.py": "from router.wire import time\nsession.open()\nclock.now()",
        }
    )
    assert find_impurities(root) == []


@pytest.mark.parametrize("call", ["asyncio.create_task(f())", "group.create_task(f())", "ensure_future(f())"])
def test_a_stray_task_is_named(shed, call):
    """The same line is refused in a backend and welcome in a recorder."""
    root = shed(
        {"clasp_journal/memory.py": call, "router/recording/recorder.py": call, "router/client.py": call}
    )
    (finding,) = find_stray_tasks(root)
    assert finding.startswith("clasp_journal/memory.py:1: ")
