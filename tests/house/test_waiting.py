"""Naps in tests are refused."""

from tests.house.source import report
from tests.house.waiting import find_naps


def test_tests_wait_for_the_thing_itself(house):
    """No test of the project sleeps and hopes."""
    findings = find_naps(house)
    assert not findings, report(findings)


def test_a_nap_is_named(shed):
    """Zero and explained pauses pass; numbers and names without a reason do not."""
    lines = [
        "time.sleep(0)",
        "asyncio.sleep(0.1)  # paced: the rate is what this measures",
        "asyncio.sleep(0.1)",
        "sleep(delay_s)  # paced:",
    ]
    findings = find_naps(shed({"tests/e2e/test_it.py": "\n".join(lines), "router/cli.py": "sleep(1)"}))
    assert [finding.split(": ")[0] for finding in findings] == [
        "tests/e2e/test_it.py:3",
        "tests/e2e/test_it.py:4",
    ]
