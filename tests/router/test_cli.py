"""`clasp-router` on a command line: what its flags mean, what `check` prints, what is refused and how."""

import tomllib
from importlib.metadata import version

import click
import pytest
from click.testing import CliRunner

from router.cli import main
from router.config import SETTINGS, RouterConfig
from router.wire import packing

EXAMPLES = {
    "listen": "0.0.0.0:8000",
    "name": "stage",
    "cert": "stage.pem",
    "key": "stage.key",
    "client-ca": "crew.pem",
    "allow-origin": ["https://desk.example"],
    "allow-host": ["stage.local"],
    "journal": "memory:50000",
    "journal-wait": "2min",
    "snapshot-every": "10s",
    "retain": "30d,20GB,50M",
    "rules": ["/meters/** sample 1s"],
    "thin-after": "10min",
    "on-journal-error": "serve",
    "mirror": "show.jsonl",
    "mirror-size": "500MB",
    "mirror-compress": "gzip",
    "mirror-key": "show.pem",
    "mirror-check": "all",
    "auth": "tokens.toml",
    "max-sessions": 12,
    "max-per-address": 20,
    "max-rate": 1000,
    "session-timeout": "5min",
    "param-ttl": "1h",
    "log-format": "json",
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command in a folder of its own, with no variables but those given."""
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments, **variables):
        return CliRunner().invoke(main, arguments, env=variables)

    return invoke


@pytest.fixture
def check(run):
    """The settings that `check` prints for some flags, and what it says of their sources."""

    def invoke(*arguments, **variables):
        done = run("check", *arguments, **variables)
        assert done.exit_code in (0, 3), done.output
        comments = {line.partition(" ")[0]: line.partition("  # ")[2] for line in done.stdout.splitlines()}
        return tomllib.loads(done.stdout), comments

    return invoke


@pytest.fixture
def refusal(run):
    """What is said about a command line that is wrong."""

    def invoke(*arguments, **variables):
        done = run(*arguments, **variables)
        assert done.exit_code == 2, done.output
        assert "Traceback" not in done.output
        assert done.output.startswith("clasp-router")
        assert done.output.count("\n") == 1, "one line"
        return done.output.partition(": ")[2].partition(" (see clasp-router")[0]

    return invoke


def test_check_prints_every_setting_and_that_it_is_a_default(check):
    """In the order of the table; nothing is started, nothing is written."""
    values, sources = check()
    assert list(values) == [setting.name for setting in SETTINGS]
    assert set(sources.values()) == {"default"}
    assert values["listen"] == "127.0.0.1:7330"
    assert values["journal"] == "sqlite:clasp-journal.db"
    assert values["max-sessions"] == RouterConfig().max_sessions
    assert values["verbose"] is False


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_setting_has_a_flag_of_its_name(check, name):
    """And a variable."""
    text = EXAMPLES[name][0] if isinstance(EXAMPLES[name], list) else str(EXAMPLES[name])
    values, sources = check(f"--{name}", text)
    assert (values[name], sources[name]) == (EXAMPLES[name], f"--{name}")
    variable = f"CLASP_ROUTER_{name.upper().replace('-', '_')}"
    values, sources = check(**{variable: text})
    assert (values[name], sources[name]) == (EXAMPLES[name], variable)


def test_every_setting_is_in_the_examples():
    """Whoever adds a setting adds it here."""
    assert {setting.name for setting in SETTINGS} == {*EXAMPLES, "allow-native", "verbose"}


def test_check_tells_each_source(check, tmp_path):
    """Default, file, variable and flag in one list."""
    (tmp_path / "stage.toml").write_text('name = "file"\nmax-rate = 5\nretain = "30d"\n')
    arguments = ("--config", "stage.toml", "--retain", "7d")
    values, sources = check(*arguments, CLASP_ROUTER_MAX_RATE="6/s")
    assert (values["name"], sources["name"]) == ("file", "stage.toml: name")
    assert (values["max-rate"], sources["max-rate"]) == (6, "CLASP_ROUTER_MAX_RATE")
    assert (values["retain"], sources["retain"]) == ("7d", "--retain")
    assert sources["listen"] == "default"


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        (("--ws-port", "8000"), "listen", "127.0.0.1:8000"),
        (("--port", "8000"), "listen", "127.0.0.1:8000"),
        (("-p", "8000"), "listen", "127.0.0.1:8000"),
        (("-p", "0"), "listen", "127.0.0.1:0"),
        (("--host", "0.0.0.0"), "listen", "0.0.0.0:7330"),
        (("--host", "::1", "-p", "80"), "listen", "[::1]:80"),
        (("--host", "[::1]"), "listen", "[::1]:7330"),
        (("-n", "stage"), "name", "stage"),
        (("--name", "stage"), "name", "stage"),
        (("--journal", "show.db"), "journal", "sqlite:show.db"),
        (("--journal", "/var/lib/show.db"), "journal", "sqlite:/var/lib/show.db"),
        (("--journal-memory",), "journal", "memory:"),
        (("--persist-interval", "5"), "snapshot-every", "5s"),
        (("--max-sessions", "5"), "max-sessions", 5),
        (("--session-timeout", "300"), "session-timeout", "5min"),
        (("--param-ttl", "3600"), "param-ttl", "1h"),
        (("--no-ttl",), "param-ttl", "never"),
        (("--verbose",), "verbose", True),
        (("-v",), "verbose", True),
    ],
)
def test_the_flags_of_the_relay_are_understood(check, arguments, name, value):
    """Numbers are seconds there; the source is the flag that was given."""
    values, sources = check(*arguments)
    assert values[name] == value
    assert sources[name].startswith("-")


def test_a_port_alone_leaves_the_host_that_was_set_elsewhere(check):
    """And the other way round."""
    elsewhere = {"CLASP_ROUTER_LISTEN": "0.0.0.0:9000"}
    assert check("--port", "8000", **elsewhere)[0]["listen"] == "0.0.0.0:8000"
    assert check("--host", "::", **elsewhere)[0]["listen"] == "[::]:9000"


@pytest.mark.parametrize(
    ("arguments", "both"),
    [
        (("--listen", ":1", "--port", "2"), "--listen already says what --host and --port say"),
        (("--journal", "a.db", "--journal-memory"), "--journal and --journal-memory both set journal"),
        (("--no-ttl", "--param-ttl", "5"), "--param-ttl and --no-ttl both set param-ttl"),
        (("--persist-interval", "5", "--snapshot-every", "6s"), "--snapshot-every and --persist-interval"),
    ],
)
def test_two_flags_for_one_setting_are_refused(refusal, arguments, both):
    """Which of them was meant is not ours to guess."""
    assert both in refusal("check", *arguments)


@pytest.mark.parametrize(
    ("argument", "nearest"),
    [
        ("--lissten", "--listen"),
        ("--snapshots-every", "--snapshot-every"),
        ("--journal-mem", "--journal-memory"),
    ],
)
def test_an_unknown_flag_is_refused_with_the_nearest(refusal, argument, nearest):
    """Before or behind `check`, and without it."""
    expected = f"there is no option {argument}; the nearest is {nearest}"
    assert refusal(argument, "x") == refusal("check", argument, "x") == refusal(argument, "check") == expected


def test_an_unknown_variable_and_an_unknown_key_are_refused(refusal, tmp_path):
    """With the nearest real name, whether the router is to run or to be checked."""
    expected = "there is no variable CLASP_ROUTER_LISEN; the nearest is CLASP_ROUTER_LISTEN"
    assert refusal(CLASP_ROUTER_LISEN="x") == refusal("check", CLASP_ROUTER_LISEN="x") == expected
    (tmp_path / "clasp-router.toml").write_text("lisen = 'x'")
    expected = "clasp-router.toml: there is no setting 'lisen'; the nearest is 'listen'"
    assert refusal() == refusal("check") == expected


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--listen", "nowhere"), "--listen: 'nowhere' is no HOST:PORT like 127.0.0.1:7330"),
        (("--port", "http"), "--port: '127.0.0.1:http' is no HOST:PORT like 127.0.0.1:7330"),
        (("--retain", "much"), "--retain: 'much' is no retention like 30d, 20GB, 50M"),
        (("--max-rate", "fast"), "--max-rate: 'fast' is no rate like 1000/s"),
        (("--persist-interval", "soon"), "--persist-interval: 'soon' is no span of time like 30s"),
        (("--on-journal-error", "panic"), "--on-journal-error: 'panic' is none of stop, serve"),
        (("--name", ""), "--name: '' is no name"),
        (("--config", "missing.toml"), "missing.toml cannot be read: No such file or directory"),
        (("--listen",), "requires an argument"),
        (("chek",), "there is no command 'chek'; the nearest is check"),
    ],
)
def test_what_cannot_be_read_is_refused_with_an_example(refusal, arguments, reason):
    """One line, exit code 2, and nothing was started."""
    assert reason in refusal(*arguments)


@pytest.mark.parametrize("journal", ["memory:", "memory:500", "none"])
def test_check_says_where_retention_does_not_apply(run, journal):
    """A ring has its own bound; what is not kept need not be removed."""
    said = run("check", "--retain", "30d", "--journal", journal).output
    assert said.splitlines()[-1] == f"# retain does not apply: the journal is {journal}"
    assert "does not apply" not in run("check", "--journal", journal).output
    assert "does not apply" not in run("check", "--retain", "30d").output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--auth", "t.toml"), "t.toml: No such file or directory"),
        (("--auth", "odd.toml"), "odd.toml is no file of tokens"),
        (("--cert", "stage.pem"), "the certificate cannot be used: stage.pem: No such file or directory"),
        (
            ("--key", "stage.pem"),
            "the certificate cannot be used: key and client-ca are for TLS, and there is no cert",
        ),
    ],
)
def test_check_fails_where_the_router_would_not_start(run, tmp_path, arguments, reason):
    """With the code that the router would end with, and a line; the settings are printed all the same."""
    (tmp_path / "odd.toml").write_text("x = 1")
    (tmp_path / "empty.toml").write_text("")
    done = run("check", *arguments)
    assert done.exit_code == 3
    assert done.stderr.startswith(f"clasp-router check: it will not start: {reason}")
    assert done.stderr.count("\n") == 1
    assert tomllib.loads(done.stdout).keys() == {setting.name for setting in SETTINGS}
    assert run("check", "--auth", "empty.toml").exit_code == 0


def test_help_explains_every_flag(run):
    """Each with a line, and with examples."""
    done = run("--help")
    assert done.exit_code == 0
    assert all(f"--{setting.name}" in done.output for setting in SETTINGS)
    assert all(option.help for option in main.params if isinstance(option, click.Option))
    assert "clasp-router check --config stage.toml" in done.output


def test_the_version_is_told(run):
    """That of the installed distribution, and whether its hot modules are compiled."""
    compiled = "" if packing.__file__.endswith(".py") else ", compiled"
    assert run("--version").output.strip().endswith(version("clasp-journal") + compiled)
