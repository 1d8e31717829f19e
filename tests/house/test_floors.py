"""The plan of the house holds, and breaking it is noticed."""

import pytest

from tests.house.floors import find_wrong_arrows
from tests.house.source import report


def test_arrows_point_down_only(house):
    """No module of the project imports upwards or sideways."""
    findings = find_wrong_arrows(house)
    assert not findings, report(findings)


@pytest.mark.parametrize(
    ("path", "text", "complaint"),
    [
        ("clasp_journal/entry.py", "import clasp_journal.journal", "arrows point down only"),
        ("clasp_journal/entry.py", "from . import journal", "arrows point down only"),
        ("clasp_journal/journal.py", "from clasp_journal import value, open_journal", "down only"),
        ("clasp_journal/sqlite/reader.py", "from ..memory import MemoryJournal", "do not know each other"),
        ("clasp_journal/memory.py", "def f():\n    from clasp_journal.sqlite import schema", "each other"),
        ("clasp_journal/opening.py", "from router.wire import codec", "does not know the router"),
        ("clasp_journal/cli/main.py", "from router.client import connect", "only inside the function"),
        ("clasp_journal/cli/main.py", "def f():\n    import router.core", "does not know the router"),
        ("router/wire/codec.py", "import importlib\nimportlib.import_module('router.core')", "down only"),
        ("router/transports/websocket.py", "from router import client", "do not know each other"),
        ("router/core/router.py", "import router", "arrows point down only"),
        ("router/core/router.py", "import tests.conftest", "a package does not know its tests"),
        ("router/attic.py", '"""Somewhere."""', "has no room"),
    ],
)
def test_a_wrong_arrow_is_named(shed, path, text, complaint):
    """Each kind of wrong import is found at its line."""
    root = shed({"clasp_journal/journal.py": "", "clasp_journal/value.py": "", "router/client.py": ""})
    shed({path: text})
    (finding,) = find_wrong_arrows(root)
    assert finding.startswith(f"{path}:")
    assert complaint in finding


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("router/cli.py", "import router.daemon, clasp_journal\nfrom router.core import limits"),
        ("router/core/router.py", "from .session import Session\nfrom ..wire.frame import Frame"),
        ("clasp_journal/cli/main.py", "def live():\n    from router.client import connect"),
        ("clasp_journal/value.py", "from clasp_journal.errors import BadInput\nimport struct"),
    ],
)
def test_a_right_arrow_is_left_alone(shed, path, text):
    """Down, within the room, and the one lazy exception are all allowed."""
    assert find_wrong_arrows(shed({path: text})) == []
