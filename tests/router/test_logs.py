"""The log: one line per fault, no floods, and nothing in it that a peer could use against a terminal."""

import io
import json
import logging
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.logs import MESSAGE_MAX_CHARS, REPEATS_MAX, WINDOW_S, JsonLines, Lines, TextLines

anything = st.text(st.characters())


class Scene:
    """A handler, what it has written, and a clock that is set by hand."""

    def __init__(self, formatter=None):
        self.stream = io.StringIO()
        self.handler = Lines(self.stream)
        self.handler.setFormatter(formatter or TextLines())
        self.now_s = 1_700_000_000.0

    def say(self, words, *args, level=logging.WARNING, name="router.desk", error=None):
        """Log something, as a logger would."""
        exc_info = (type(error), error, error.__traceback__) if error else None
        record = logging.LogRecord(name, level, __file__, 1, words, args, exc_info)
        record.created = self.now_s
        self.handler.handle(record)

    def pass_time(self, seconds):
        """Let time go by."""
        self.now_s += seconds

    @property
    def lines(self):
        """What is written."""
        return self.stream.getvalue().split("\n")[:-1]


def raised():
    """An error of ours, with the way it came."""

    def inner():
        raise RuntimeError("a peer's \x1b[31mred\nvalue")

    try:
        inner()
    except RuntimeError as error:
        return error


def test_a_line_has_time_level_place_and_words():
    """The time in UTC, to the millisecond."""
    scene = Scene()
    scene.say("closing session %s: %d frames", "é-1", 7)
    assert scene.lines == ["2023-11-14T22:13:20.000Z WARNING router.desk: closing session é-1: 7 frames"]


@pytest.mark.property
@given(anything)
def test_whatever_a_peer_says_is_one_line_that_prints(text):
    """Nothing ends the line, moves the cursor or turns the direction of writing; and it can be encoded."""
    scene = Scene()
    scene.say("refused: %s", text)
    scene.stream.getvalue().encode("utf-8")
    (line,) = scene.lines
    assert line.isprintable()


@pytest.mark.property
@given(anything)
def test_json_lines_are_one_line_each_and_keep_the_words(text):
    """Pure ASCII; a machine gets back what was said."""
    scene = Scene(JsonLines())
    scene.say("refused: %s", text)
    (line,) = scene.lines
    assert line.isascii()
    assert json.loads(line) == {
        "time": "2023-11-14T22:13:20.000Z",
        "level": "warning",
        "logger": "router.desk",
        "message": f"refused: {text}",
    }


def test_a_long_message_is_cut_and_says_so():
    """A value of 65,000 bytes does not belong into a log."""
    scene = Scene()
    scene.say("x" * 65_000)
    (line,) = scene.lines
    assert line.endswith("x... (65000 characters)")
    assert len(line) < MESSAGE_MAX_CHARS + 100


def test_a_fault_of_ours_is_one_line_with_what_and_where():
    """The way it came is for those who ask for more."""
    scene = Scene()
    scene.say("handling a message failed", level=logging.ERROR, error=raised())
    (line,) = scene.lines
    assert line.isprintable()
    assert r"failed: RuntimeError: a peer's \x1b[31mred\nvalue (in inner, " in line
    assert re.search(rf"{re.escape(__file__)}:\d+\)$", line)


def test_with_verbose_the_way_of_a_fault_follows_indented():
    """So that lines that begin with a time are still one per fault."""
    scene = Scene(TextLines(verbose=True))
    scene.say("handling a message failed", level=logging.ERROR, error=raised())
    first, *rest = scene.lines
    assert "RuntimeError" in first
    assert any("in raised" in line for line in rest)
    assert all(line.startswith("    ") and line.isprintable() for line in rest)


@pytest.mark.parametrize("verbose", [False, True])
def test_a_fault_in_the_process_of_the_journal_is_told_the_same(verbose):
    """Its way comes as text."""
    scene = Scene(TextLines(verbose=verbose))
    record = logging.LogRecord("router.journal", logging.ERROR, "", 0, "%s", ("it failed",), None)
    record.exc_text = "Traceback (most recent call last):\n  File x, line 1\nKeyError: 'a'\n"
    scene.handler.handle(record)
    first, *rest = scene.lines
    assert first.endswith("ERROR router.journal: it failed: KeyError: 'a'")
    assert rest == ["    " + line for line in record.exc_text.splitlines()] * verbose


def test_in_json_the_way_of_a_fault_is_always_there():
    """One line all the same."""
    scene = Scene(JsonLines())
    scene.say("handling a message failed", error=raised())
    (line,) = scene.lines
    assert "in raised" in json.loads(line)["exception"]


def test_of_a_flood_the_first_lines_are_written_and_the_rest_counted():
    """The count is told with the next line that comes after the window, whatever it is about."""
    scene = Scene()
    for number in range(1_000):
        scene.say("session %s reads too slowly", number)
        scene.pass_time(0.001)
    assert len(scene.lines) == REPEATS_MAX
    scene.pass_time(WINDOW_S)
    scene.say("something else")
    *_, told, other = scene.lines
    assert told.endswith("WARNING router.desk: and 995 more in 1.0 s like: session %s reads too slowly")
    assert other.endswith("something else")
    scene.say("session %s reads too slowly", 1_000)
    assert scene.lines[-1].endswith("session 1000 reads too slowly")
    assert len(scene.lines) == REPEATS_MAX + 3


def test_a_flood_that_does_not_end_is_told_in_every_window():
    """So the log of an hour is bounded."""
    scene = Scene()
    for number in range(3_600):
        scene.say("session %s reads too slowly", number)
        scene.pass_time(1)
    per_window = REPEATS_MAX + 1
    assert 359 * per_window <= len(scene.lines) <= 361 * per_window


def test_what_is_only_counted_is_told_at_the_end():
    """When the program ends its log."""
    scene = Scene()
    for _ in range(REPEATS_MAX + 3):
        scene.say("again")
    scene.handler.close()
    assert scene.lines[-1].endswith("and 3 more in 0.0 s like: again")


def test_faults_that_differ_are_no_flood():
    """Other words, another place, another level."""
    scene = Scene()
    for _ in range(REPEATS_MAX):
        scene.say("one")
    scene.say("two")
    scene.say("one", name="router.journal")
    scene.say("one", level=logging.ERROR)
    assert len(scene.lines) == REPEATS_MAX + 3


def test_lines_passed_on_whole_are_told_apart_by_their_words_without_numbers():
    """As the lines that come from the journal's process, and those that are made in one piece."""
    scene = Scene()
    for number in range(100):
        scene.say("%s", f"entry {number} is missing")
        scene.say(f"page {number} is damaged")
    scene.say("%s", "the disk is full")
    assert len(scene.lines) == 2 * REPEATS_MAX + 1
    assert scene.lines[-1].endswith("the disk is full")


def test_what_is_remembered_of_floods_is_bounded():
    """Ten thousand kinds of lines at once: each is written, none is kept for long."""
    scene = Scene()
    for number in range(10_000):
        scene.say("kind " + "x" * (number % 100) + "y" * (number // 100))
    assert len(scene.lines) == 10_000
    assert len(scene.handler._floods._kinds) <= 1_000


def test_a_clock_that_is_set_back_does_not_silence_anything():
    """The window is over then."""
    scene = Scene()
    for _ in range(100):
        scene.say("again")
    scene.pass_time(-3_600)
    scene.say("again")
    assert scene.lines[-2].endswith("and 95 more in 0.0 s like: again")
    assert scene.lines[-1].endswith("again")


PROGRAM = """
import logging, sys
from router import logs
logs.set_up(sys.argv[1], verbose=sys.argv[2] == "verbose")
logging.getLogger("router.desk").info("hello")
logging.getLogger("router.desk").debug("details")
logging.getLogger("asyncio").debug("noise")
logging.getLogger("asyncio").info("noise")
for _ in range(7):
    logging.getLogger("router").error("again")
"""


@pytest.mark.parametrize(("how", "said"), [("quiet", ["hello"]), ("verbose", ["hello", "details"])])
@pytest.mark.parametrize("form", ["text", "json"])
def test_the_log_of_a_program_goes_to_stderr(how, said, form):
    """Details only when asked for, the noise of others never; the last count when the program ends."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, form, how], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    words = [json.loads(line)["message"] if form == "json" else line.partition(": ")[2] for line in lines]
    assert words[: len(said)] == said
    assert words[len(said) :] == ["again"] * REPEATS_MAX + [words[-1]]
    assert words[-1].startswith("and 2 more in ")


@pytest.mark.parametrize("formatter", [TextLines(verbose=True), JsonLines()])
def test_what_looks_like_a_token_is_left_out(formatter):
    """In the words, in what was put into them, and in the words of an exception."""
    scene = Scene(formatter)
    token = "cpsk_c0ffeec0ffeec0ffeec0ffeec0ffeec0"
    try:
        raise ValueError(f"no address: {token}/a")
    except ValueError as fault:
        scene.say(f"{token} of %s", f"x{token}", error=fault)
    written = scene.stream.getvalue()
    assert "c0ffee" not in written
    assert written.count("cpsk_[redacted]") >= 3
