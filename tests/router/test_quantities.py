"""What people write into settings is read exactly, or refused with an example."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.quantities import (
    COUNT_MAX,
    SPAN_MAX_S,
    Address,
    Retention,
    format_size,
    format_span,
    parse_count,
    parse_listen,
    parse_rate_per_s,
    parse_retention,
    parse_span_s,
)

spans_s = st.floats(0.001, SPAN_MAX_S) | st.integers(0, int(SPAN_MAX_S)).map(float)
hosts = (
    st.ip_addresses().map(str) | st.sampled_from(("localhost", "router.stage", "bühne.local"))
)  # fmt: skip
addresses = st.builds(Address, hosts, st.integers(0, 65_535))
bounds = st.integers(1, COUNT_MAX)
retentions = st.builds(
    Retention, st.none() | spans_s.filter(bool), st.none() | bounds, st.none() | bounds
)  # fmt: skip


@pytest.mark.property
@given(spans_s)
def test_a_span_is_read_as_it_is_written(span_s):
    """To the last bit, whatever the unit."""
    assert parse_span_s(format_span(span_s)) == span_s


@pytest.mark.property
@given(addresses)
def test_an_address_is_read_as_it_is_written(address):
    """IPv6 in brackets."""
    assert parse_listen(str(address)) == address


@pytest.mark.property
@given(retentions)
def test_a_retention_is_read_as_it_is_written(retention):
    """Each of its parts, or all."""
    assert parse_retention(str(retention)) == retention


@pytest.mark.property
@given(st.text(alphabet="0123456789.:,[] /dhmsinkMGBTall-e\x00é", max_size=12))
def test_what_cannot_be_read_is_refused_in_words(text):
    """No parser ends with anything but a value or a ValueError that quotes the text or a part of it."""
    for parse in (parse_span_s, parse_count, parse_rate_per_s, parse_listen, parse_retention):
        try:
            parse(text)
        except ValueError as error:
            refusal = str(error)
        else:
            continue
        assert " like " in refusal or "--journal none" in refusal


@pytest.mark.parametrize(
    ("text", "span_s"),
    [
        ("0", 0), ("30", 30), ("30s", 30), ("250ms", 0.25), ("5min", 300), ("5m", 300), ("2h", 7_200),
        ("1.5h", 5_400), ("30d", 2_592_000), ("2w", 1_209_600), ("30 s", 30), ("0.1s", 0.1),
    ],
)  # fmt: skip
def test_spans_have_the_usual_units(text, span_s):
    """A bare number is seconds."""
    assert parse_span_s(text) == span_s


@pytest.mark.parametrize(
    ("span_s", "text"),
    [(0, "0s"), (30.0, "30s"), (90.0, "90s"), (120.0, "2min"), (86_400.0, "1d"), (1e-3, "0.001s")],
)
def test_spans_are_written_in_the_largest_unit_that_is_exact(span_s, text):
    """So that a setting is shown as people say it."""
    assert format_span(span_s) == text


@pytest.mark.parametrize(
    "text", ["", "s", "-1s", "1e3", "30S", "3 0s", "1,5s", "inf", "nan", "30sec", "101000d", "٣s"]
)
def test_what_is_no_span_is_refused_with_an_example(text):
    """Units are told apart by case, numbers are plain."""
    with pytest.raises(ValueError, match="like 30s, 5min or 2h"):
        parse_span_s(text)


def test_counts_are_whole_numbers_with_letters_for_zeros():
    """Exactly: a fraction may only be of a thousand, a million, a thousand million."""
    assert [parse_count(text) for text in ("0", "5000", "10k", "1.005k", "50M", "2G")] == [
        0, 5_000, 10_000, 1_005, 50_000_000, 2_000_000_000,
    ]  # fmt: skip
    for text in ("1.5", "1.0005k", "10K", "5 mil", "", "k", "-5", "1000001G"):
        with pytest.raises(ValueError, match="like 5000, 10k or 50M"):
            parse_count(text)


def test_rates_are_counts_per_second():
    """With or without saying so."""
    assert parse_rate_per_s("1000/s") == parse_rate_per_s("1000") == parse_rate_per_s("1k/s") == 1_000
    with pytest.raises(ValueError, match="'60/min' is no rate like 1000/s"):
        parse_rate_per_s("60/min")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:7330", Address("127.0.0.1", 7330)),
        ("0.0.0.0:0", Address("0.0.0.0", 0)),
        ("[::1]:80", Address("::1", 80)),
        ("localhost:80", Address("localhost", 80)),
        (":8000", Address("127.0.0.1", 8000)),
        ("8000", Address("127.0.0.1", 8000)),
    ],
)
def test_an_address_without_a_host_is_this_machine_alone(text, address):
    """Whoever wants all the world to come in has to say so."""
    assert parse_listen(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "", ":", "localhost", "host:", "host:65536", "host:-1", "host:http", "::1", "::1:80", "[::1]",
        "a b:80", "[x]:80", "ws://h:80", "h:８０",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_an_example(text):
    """IPv6 needs its brackets: ::1:80 could be either."""
    with pytest.raises(ValueError, match=r"like (127\.0\.0\.1|\[::1\]):7330"):
        parse_listen(text)


def test_a_retention_tells_its_parts_by_their_units():
    """m is minutes, M is millions; B ends a size."""
    assert parse_retention("30d,20GB,50M") == Retention(2_592_000.0, 20 * 10**9, 50_000_000)
    assert parse_retention("5m") == Retention(age_s=300.0)
    assert parse_retention("5M") == Retention(entries=5_000_000)
    assert parse_retention("1.5KB , 100") == Retention(size_bytes=1_500, entries=100)
    assert parse_retention("all") == Retention()


@pytest.mark.parametrize(
    "text", ["", ",", "30d,", "30d,40d", "10X", "lots", "0", "0d", "0.1B", "20TB,30TB", "1001TB"]
)
def test_a_retention_that_says_nothing_or_too_much_is_refused(text):
    """Keeping nothing is no journal, and has a name of its own."""
    with pytest.raises(ValueError, match=r"20GB, 50M|--journal none"):
        parse_retention(text)


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 B"), (999, "999 B"), (57_344, "57.3 KB"), (3 * 10**9, "3.0 GB"), (2 * 10**15, "2000.0 TB")],
)
def test_sizes_are_told_for_people(size_bytes, text):
    """In thousands, as they are read."""
    assert format_size(size_bytes) == text
