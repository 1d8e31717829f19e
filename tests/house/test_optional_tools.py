"""A missing tool is never a silent pass."""

import pytest

from tests.conftest import require_tool

ABSENT = "clasp-no-such-program"


def test_a_tool_that_is_there_is_found():
    """The test gets the path to call."""
    assert require_tool("sh", "apt-get install dash").endswith("/sh")


def test_a_missing_tool_skips_and_says_what_to_install(monkeypatch):
    """On a developer's machine the test is skipped with a hint."""
    monkeypatch.delenv("CLASP_TEST_REQUIRE", raising=False)
    with pytest.raises(pytest.skip.Exception, match=f"{ABSENT} is not installed: apt-get install it"):
        require_tool(ABSENT, "apt-get install it")


def test_a_missing_tool_fails_where_everything_is_required(monkeypatch):
    """In CI the same test fails."""
    monkeypatch.setenv("CLASP_TEST_REQUIRE", "1")
    with pytest.raises(pytest.fail.Exception, match="apt-get install it"):
        require_tool(ABSENT, "apt-get install it")
