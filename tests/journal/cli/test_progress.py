"""The line about long work: who sees it, when, and what it says. The clock is the test's."""

import io
import sys

import pytest

from clasp_journal.cli import stderr
from clasp_journal.cli.stderr import Progress


class Stream(io.StringIO):
    """A stream that may be a terminal."""

    def __init__(self, *, terminal):
        super().__init__()
        self._terminal = terminal

    def isatty(self):
        return self._terminal


@pytest.fixture
def clock(monkeypatch):
    """The time, in a list of one."""
    now = [100.0]
    monkeypatch.setattr(stderr.time, "monotonic", lambda: now[0])
    return now


def shown(monkeypatch, clock, *, results_on_terminal, errors_on_terminal=True, beside_results=True):
    """What stderr gets from work that is half done after two seconds."""
    monkeypatch.setattr(sys, "stdout", Stream(terminal=results_on_terminal))
    monkeypatch.setattr(sys, "stderr", Stream(terminal=errors_on_terminal))
    with Progress("reading", 2_000, beside_results=beside_results) as progress:
        clock[0] += 0.4
        progress.advance(100)
        assert sys.stderr.getvalue() == ""
        clock[0] += 1.6
        progress.advance(900)
    return sys.stderr.getvalue()


def test_long_work_shows_how_far_it_is(monkeypatch, clock):
    """Only after half a second, with the rate and the time that is left; at the end it is gone."""
    line = shown(monkeypatch, clock, results_on_terminal=False)
    assert line == "\r\x1b[Kreading 1,000 of 2,000 (50 %), 0:02 left, 500/s\r\x1b[K"


def test_no_line_disturbs_a_file_or_the_results(monkeypatch, clock):
    """None where stderr is no terminal, and none where the results themselves are seen to come."""
    assert shown(monkeypatch, clock, results_on_terminal=False, errors_on_terminal=False) == ""
    assert shown(monkeypatch, clock, results_on_terminal=True) == ""
    assert shown(monkeypatch, clock, results_on_terminal=True, beside_results=False) != ""
