"""The grammar of times: what is written can be read, and nothing is guessed."""

import contextlib
import os
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clasp_journal.cli.grammar.spans import SpanError, format_span, parse_span
from clasp_journal.cli.grammar.times import Instant, Mark, Place, TimeError, format_time, parse_time
from clasp_journal.cli.grammar.zones import EPOCH, LOCAL_ZONE, UTC_ZONE, Zone
from clasp_journal.errors import BadInput

VIENNA = Zone.named("Europe/Vienna")
ZONES = [UTC_ZONE] + [
    Zone.named(name)
    for name in ("Europe/Vienna", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu")
]
US = timedelta(microseconds=1)


def us(text: str) -> int:
    """The microseconds of an ISO time with its offset."""
    return (datetime.fromisoformat(text) - EPOCH) // US


NOW_US = us("2026-06-15T12:30:00+02:00")


def meant(text, now_us=NOW_US, zone=VIENNA):
    """The instant that a text means, as ISO in UTC."""
    moment = parse_time(text, now_us, zone)
    assert isinstance(moment, Instant)
    return (EPOCH + moment.us * US).isoformat()


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("now", "2026-06-15T10:30:00+00:00"),
        ("Now", "2026-06-15T10:30:00+00:00"),
        ("12:30", "2026-06-15T10:30:00+00:00"),
        ("12:31", "2026-06-14T10:31:00+00:00"),
        ("9:05:17.250", "2026-06-15T07:05:17.250000+00:00"),
        ("today 21:03", "2026-06-15T19:03:00+00:00"),
        ("yesterday 21:03", "2026-06-14T19:03:00+00:00"),
        ("Yesterday", "2026-06-13T22:00:00+00:00"),
        ("5 min ago", "2026-06-15T10:25:00+00:00"),
        ("1h30m ago", "2026-06-15T09:00:00+00:00"),
        ("1.5 hours ago", "2026-06-15T09:00:00+00:00"),
        ("-90s", "2026-06-15T10:28:30+00:00"),
        ("2026-06-01", "2026-05-31T22:00:00+00:00"),
        ("2026-06-01T21:03", "2026-06-01T19:03:00+00:00"),
        ("2026-01-01 21:03:04,5", "2026-01-01T20:03:04.500000+00:00"),
        ("2026-06-01T21:03Z", "2026-06-01T21:03:00+00:00"),
        ("2026-06-01T21:03:00-0330", "2026-06-02T00:33:00+00:00"),
        ("@1708500000", "2024-02-21T07:20:00+00:00"),
        ("@1708500000.000001", "2024-02-21T07:20:00.000001+00:00"),
        ("1708500000123", "2024-02-21T07:20:00.123000+00:00"),
        ("1708500000123456", "2024-02-21T07:20:00.123456+00:00"),
    ],
)
def test_each_form_means_one_instant(text, instant):
    """A bare time of day is the last one that was; wall times are those of the zone."""
    assert meant(text) == instant


def test_numbers_and_marks_are_places_that_the_journal_knows():
    """They are handed on, to be looked up."""
    assert parse_time("seq:81200", NOW_US) == Place(81200)
    assert parse_time("mark:doors open", NOW_US) == Mark("doors open")


@pytest.mark.parametrize(
    "text",
    [
        *("", "5min", "soon", "24:00", "12:60", "12:3", "2026-02-30", "2026-13-01", "2026-06-01T25:00"),
        *("seq:", "seq:x", "seq:-1", "mark:", "90s", "-90", "5 fortnights ago", "12:30:00.1234567", "12345"),
        *("2026-06-01T21:03+25:00", "0000-01-01", "@", "@-5", "tomorrow", "1h1 ago", "now ago", "１２:３０"),
        *("@99999999999999", "99999999999w ago", "seq:" + "9" * 5_000),
    ],
)
def test_what_is_no_time_is_refused_with_an_example(text):
    """The text is repeated, and what could stand in its place is shown."""
    with pytest.raises(TimeError, match=r"examples?:|like "):
        parse_time(text, NOW_US, VIENNA)


def test_a_wall_time_that_was_twice_is_refused_with_both_readings():
    """Each of the two that are offered is accepted, and they are an hour apart."""
    with pytest.raises(TimeError, match="was twice") as refused:
        parse_time("2025-10-26 02:30", NOW_US, VIENNA)
    readings = [word for word in str(refused.value).split() if word.startswith("2025-10-26T")]
    first, second = (parse_time(reading, NOW_US, VIENNA).us for reading in readings)
    assert second - first == 3_600_000_000


def test_a_wall_time_that_never_was_is_refused_with_its_neighbours():
    """What is offered instead is accepted."""
    with pytest.raises(TimeError, match="never was") as refused:
        parse_time("2026-03-29 02:30", NOW_US, VIENNA)
    readings = [word for word in str(refused.value).split() if word.startswith("2026-03-29T")]
    assert [meant(reading) for reading in readings] == [
        "2026-03-29T01:30:00+00:00",
        "2026-03-29T00:30:00+00:00",
    ]


def test_a_bare_time_of_day_never_guesses_where_clocks_change():
    """On the day itself it is refused if that day had it twice or not at all, once it has passed."""
    evening, dawn = us("2025-10-26T20:00:00+01:00"), us("2025-10-26T01:00:00+02:00")
    with pytest.raises(TimeError, match="was twice"):
        parse_time("02:30", evening, VIENNA)
    assert meant("02:30", dawn) == "2025-10-25T00:30:00+00:00"
    between = us("2025-10-26T02:10:00+01:00")
    with pytest.raises(TimeError, match="was twice"):
        parse_time("02:30", between, VIENNA)
    with pytest.raises(TimeError, match="never was"):
        parse_time("02:30", us("2026-03-29T20:00:00+02:00"), VIENNA)
    assert meant("02:30", us("2026-03-29T01:00:00+01:00")) == "2026-03-28T01:30:00+00:00"


@pytest.mark.property
@given(at_us=st.integers(0, 2**64 - 1), zone=st.sampled_from(ZONES), now_us=st.integers(0, 2**53))
def test_a_written_time_is_read_as_the_same_instant(at_us, zone, now_us):
    """In every zone, over the whole range of the wire, whatever the time is now."""
    assert parse_time(format_time(at_us, zone), now_us, zone) == Instant(at_us)
    assert parse_time(format_time(at_us, zone), now_us, UTC_ZONE) == Instant(at_us)


@pytest.mark.property
@given(
    wall=st.datetimes(datetime(1972, 1, 2), datetime(2037, 12, 30)),  # noqa: DTZ001
    zone=st.sampled_from(ZONES),
)
def test_a_wall_time_has_one_reading_or_none(wall, zone):
    """It is accepted if and only if exactly one instant shows it, and then it means that one."""
    instants = {
        at_us
        for hours in range(-28, 29)
        for minutes in (0, 15, 30, 45)
        for at_us in [(wall.replace(tzinfo=UTC) - EPOCH) // US + (hours * 60 + minutes) * 60_000_000]
        if zone.wall(at_us).replace(tzinfo=None, fold=0) == wall
    }
    if len(instants) == 1:
        assert parse_time(wall.isoformat(), NOW_US, zone) == Instant(instants.pop())
    else:
        with pytest.raises(TimeError, match=r"was twice|never was"):
            parse_time(wall.isoformat(), NOW_US, zone)


@pytest.mark.property
@given(
    zone=st.sampled_from(ZONES),
    now_us=st.integers(us("1980-01-01T00:00:00+00:00"), us("2036-01-01T00:00:00+00:00")),
    minute=st.integers(0, 24 * 60 - 1),
)
def test_a_bare_time_of_day_is_past_and_not_older_than_a_day_and_what_clocks_add(zone, now_us, minute):
    """The most recent one that there was."""
    text = f"{minute // 60:02d}:{minute % 60:02d}"
    try:
        moment = parse_time(text, now_us, zone)
    except TimeError as refused:
        assume("was twice" not in str(refused) and "never was" not in str(refused))
        raise
    assert 0 <= now_us - moment.us <= 49 * 3_600_000_000
    assert f"T{text}:00" in format_time(moment.us, zone)


@pytest.mark.property
@given(span_us=st.integers(0, 10**15))
def test_a_written_span_is_read_as_the_same_span(span_us):
    """To the microsecond."""
    assert parse_span(format_span(span_us)) == span_us


@pytest.mark.property
@given(text=st.text(st.characters(codec="utf-8"), max_size=30) | st.from_regex(r"[0-9T:.\-+@Z ags]{0,25}"))
def test_any_text_is_a_time_or_bad_input(text):
    """Whatever is typed, the answer is a moment or a sentence."""
    with contextlib.suppress(BadInput):
        assert isinstance(parse_time(text, NOW_US, VIENNA), Instant | Place | Mark)


@pytest.mark.parametrize("text", ["", "5", "s", "5 s 3", "1.1234567s", "0.1us", "-5s", "5 lightyears"])
def test_what_is_no_span_is_refused(text):
    """With a sentence that says why."""
    with pytest.raises(SpanError, match=r"is no span of time|is finer than"):
        parse_span(text)


def test_the_zone_of_the_machine_is_the_default(monkeypatch):
    """With its changes of clocks, as the operating system knows them."""
    monkeypatch.setitem(os.environ, "TZ", "America/New_York")
    time.tzset()
    try:
        assert meant("2026-07-04 12:00", zone=LOCAL_ZONE) == "2026-07-04T16:00:00+00:00"
        for wall, words in (("2026-11-01 01:30", "was twice"), ("2026-03-08 02:30", "never was")):
            with pytest.raises(TimeError, match=words):
                parse_time(wall, NOW_US, LOCAL_ZONE)
        assert format_time(us("2026-01-01T12:00:00+00:00"), LOCAL_ZONE) == "2026-01-01T07:00:00.000000-05:00"
    finally:
        monkeypatch.undo()
        time.tzset()
