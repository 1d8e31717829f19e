"""Sizes are bounded, and the bounds are exact."""

from tests.house.sizes import find_oversized
from tests.house.source import report


def test_nothing_outgrows_a_reader(house):
    """Modules, functions and parameter lists of the project stay within their bounds."""
    findings = find_oversized(house)
    assert not findings, report(findings)


def test_a_long_module_is_named(shed):
    """400 lines pass, 401 do not."""
    root = shed({"router/full.py": "x = 1\n" * 400, "router/over.py": "x = 1\n" * 401})
    (finding,) = find_oversized(root)
    assert finding.startswith("router/over.py:1: 401 lines")


def test_a_long_function_is_named(shed):
    """60 lines pass, 61 do not, methods and coroutines included."""
    full = "def f():\n" + "    x = 1\n" * 59
    over = "class C:\n    async def g(self):\n" + "        x = 1\n" * 60
    (finding,) = find_oversized(shed({"tests/test_it.py": full + over}))
    assert finding.startswith("tests/test_it.py:62: g has 61 lines")


def test_a_greedy_function_is_named(shed):
    """Five parameters pass beside self; keyword-only ones count, gathered ones do not."""
    root = shed(
        {
            "examples/modest.py": "class C:\n    def f(self, a, b, c, d, *, e, **rest): ...",
            "examples/greedy.py": "def g(a, b, /, c, *d, e, f, g, **h): ...",
        }
    )
    (finding,) = find_oversized(root)
    assert finding.startswith("examples/greedy.py:1: g asks for 6 things")
