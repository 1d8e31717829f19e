"""Who may speak to the port: every combination of Host, Origin and place that matters, as a table."""

import pytest

from router.transports.guard import Caller, Guard, host_of, parse_host_name, parse_origin

LISTED = Guard(("https://desk.example", "http://10.0.0.5:8080"), ("stage.local",))
PLAIN = Guard()
OPEN = Guard(("*",), lets_programs_in=True)
SANDBOXED = Guard(("null",))

LOCAL, REMOTE = True, False
IN, OUT = True, False

MATRIX = [
    # Programs: no Origin.
    (PLAIN, "127.0.0.1:7330", None, LOCAL, IN),
    (PLAIN, "localhost:7330", None, LOCAL, IN),
    (PLAIN, "[::1]:7330", None, LOCAL, IN),
    (PLAIN, "[fe80::1%eth0]:7330", None, LOCAL, IN),
    (PLAIN, None, None, LOCAL, IN),
    (PLAIN, "10.0.0.9:7330", None, REMOTE, OUT),
    (PLAIN, None, None, REMOTE, OUT),
    (OPEN, "10.0.0.9:7330", None, REMOTE, IN),
    (OPEN, "rebound.example:7330", None, REMOTE, OUT),
    (LISTED, "10.0.0.9", None, REMOTE, OUT),
    # Names and addresses in Host.
    (PLAIN, "LOCALHOST:7330", None, LOCAL, IN),
    (PLAIN, "localhost.:7330", None, LOCAL, IN),
    (PLAIN, "stage.local:7330", None, LOCAL, OUT),
    (LISTED, "stage.local:7330", None, LOCAL, IN),
    (LISTED, "Stage.Local.:7330", None, LOCAL, IN),
    (LISTED, "sub.stage.local:7330", None, LOCAL, OUT),
    (PLAIN, "localhost.rebound.example", None, LOCAL, OUT),
    (PLAIN, "127.0.0.1.rebound.example", None, LOCAL, OUT),
    (PLAIN, "2130706433", None, LOCAL, OUT),
    (PLAIN, "", None, LOCAL, OUT),
    (PLAIN, "user@localhost", None, LOCAL, OUT),
    (PLAIN, "[127.0.0.1]:7330", None, LOCAL, OUT),
    # Pages of the same host, on whatever port.
    (PLAIN, "localhost:7330", "http://localhost:5173", LOCAL, IN),
    (PLAIN, "127.0.0.1:7330", "http://localhost:5173", LOCAL, IN),
    (PLAIN, "[::1]:7330", "http://127.0.0.1", LOCAL, IN),
    (PLAIN, "10.0.0.9:7330", "https://10.0.0.9", REMOTE, IN),
    (PLAIN, "10.0.0.9:7330", "http://10.0.0.8", REMOTE, OUT),
    (PLAIN, "10.0.0.9:7330", "http://localhost:5173", REMOTE, OUT),
    (LISTED, "stage.local:7330", "http://stage.local", REMOTE, IN),
    # Pages from elsewhere, also from this machine's own browser.
    (PLAIN, "localhost:7330", "https://evil.example", LOCAL, OUT),
    (PLAIN, "rebound.example:7330", "http://rebound.example:7330", LOCAL, OUT),
    (PLAIN, None, "http://localhost", LOCAL, OUT),
    (PLAIN, "localhost:7330", "http://localhost.evil.example", LOCAL, OUT),
    (LISTED, "127.0.0.1:7330", "https://desk.example", LOCAL, IN),
    (LISTED, "127.0.0.1:7330", "https://DESK.example:443", REMOTE, IN),
    (LISTED, "127.0.0.1:7330", "http://desk.example", LOCAL, OUT),
    (LISTED, "127.0.0.1:7330", "https://desk.example:8443", LOCAL, OUT),
    (LISTED, "127.0.0.1:7330", "http://10.0.0.5:8080", REMOTE, IN),
    (OPEN, "127.0.0.1:7330", "https://evil.example", REMOTE, IN),
    (OPEN, "rebound.example", "https://evil.example", LOCAL, OUT),
    # Pages that hide where they come from.
    (PLAIN, "localhost:7330", "null", LOCAL, OUT),
    (LISTED, "localhost:7330", "null", LOCAL, OUT),
    (SANDBOXED, "localhost:7330", "null", LOCAL, IN),
    (PLAIN, "localhost:7330", "", LOCAL, OUT),
    (PLAIN, "localhost:7330", "http://localhost/page", LOCAL, OUT),
    (PLAIN, "localhost:7330", "http://localhost, http://evil.example", LOCAL, OUT),
    (PLAIN, "localhost:7330", "localhost", LOCAL, OUT),
]


@pytest.mark.parametrize(("guard", "host", "origin", "is_local", "gets_in"), MATRIX)
def test_who_gets_a_websocket(guard, host, origin, is_local, gets_in):
    """The fault has words, or there is none."""
    fault = guard.fault_of_upgrade(Caller(host, origin, is_local))
    assert (fault is None) is gets_in
    assert fault is None or fault.strip()


@pytest.mark.parametrize(
    ("host", "origin", "gets_in"),
    [
        ("10.0.0.9:7330", None, IN),
        (None, None, IN),
        ("rebound.example", None, OUT),
        ("10.0.0.9:7330", "https://evil.example", OUT),
    ],
)
def test_who_gets_an_answer_to_a_plain_request(host, origin, gets_in):
    """Probes of other machines do; a page that reached us by a name of its own does not."""
    assert (PLAIN.fault_of_request(Caller(host, origin, REMOTE)) is None) is gets_in


def test_what_is_configured_is_brought_into_one_form():
    """And what is none is refused with an example."""
    assert parse_origin("HTTPS://Desk.Example:443") == "https://desk.example"
    assert parse_origin("http://[0:0::1]:80") == "http://[::1]"
    assert parse_host_name("Stage.Local.") == "stage.local"
    assert host_of("[::1]:7330") == "::1"
    for wrong in ("desk.example", "https://desk.example/", "https://", "https://a b", "https://x:y", "//x"):
        with pytest.raises(ValueError, match=r"https://desk\.example"):
            parse_origin(wrong)
    for wrong in ("", "a b", "http://stage", "stage:7330", "-"):
        with pytest.raises(ValueError, match=r"stage\.local"):
            parse_host_name(wrong)
