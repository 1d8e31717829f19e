"""Settings: where they come from, which is the stronger, and what is said when one is wrong."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clasp_journal.entry import TTL_NEVER, absolute_ttl
from router.config import BY_NAME, SETTINGS, ConfigError, RouterConfig
from router.quantities import Address, Retention
from router.recording.options import OnJournalError
from router.sources import Given, load
from tests.router.test_quantities import addresses, retentions, spans_s

printable = st.characters(exclude_categories=("C", "Zl", "Zp"), exclude_characters="\xa0").filter(
    str.isprintable
)
names = st.text(printable, min_size=1, max_size=60)
configs = st.builds(
    RouterConfig,
    listen=addresses,
    name=names,
    cert=st.just("cert.pem"),
    key=st.sampled_from(("none", "key.pem")),
    client_ca=st.sampled_from(("none", "ca.pem")),
    allow_origin=st.lists(
        st.sampled_from(("*", "null", "https://desk.example", "http://10.0.0.5:8080", "http://[::1]")),
        unique=True,
    ).map(tuple),
    allow_host=st.lists(st.sampled_from(("stage", "stage.local")), unique=True).map(tuple),
    allow_native=st.booleans(),
    journal=st.sampled_from(("none", "memory:", "memory:50000"))
    | names.filter(lambda name: "://" not in name).map("sqlite:{}".format),
    journal_wait_s=spans_s,
    snapshot_every_s=spans_s.filter(lambda span_s: span_s >= 0.1),
    retain=retentions,
    rules=st.sampled_from(((), ("/debug/** never",), ("/meters/1 keep", "/meters/** sample 250ms"))),
    thin_after_s=spans_s,
    on_journal_error=st.sampled_from(OnJournalError),
    mirror=names.filter(lambda name: "://" not in name),
    mirror_size_bytes=st.integers(0, 10**12),
    mirror_compress=st.sampled_from(("none", "gzip", "zstd")),
    mirror_key=names.filter(lambda name: "://" not in name),
    auth=names.filter(lambda name: "://" not in name),
    max_sessions=st.integers(1, 10**6),
    max_per_address=st.integers(0, 10**6),
    max_rate=st.integers(0, 10**6),
    session_timeout_s=spans_s,
    param_ttl=st.integers(TTL_NEVER, (1 << 31) - 1),
    log_format=st.sampled_from(("text", "json")),
    verbose=st.booleans(),
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """A folder of its own, so that no file lies about."""
    monkeypatch.chdir(tmp_path)


def flag(name, text):
    """A flag as the command line gives it."""
    return Given(BY_NAME[name], text, f"--{name}")


@pytest.mark.property
@given(configs)
def test_every_setting_is_read_as_it_is_written(config):
    """By each setting for itself, from each source."""
    texts = {setting: setting.format(getattr(config, setting.field)) for setting in SETTINGS}
    assert load([Given(setting, text, "a test") for setting, text in texts.items()], {}).config == config
    assert load([], {setting.variable: text for setting, text in texts.items()}).config == config


@pytest.mark.property
@given(configs)
def test_what_check_prints_is_a_file_that_sets_the_same(tmp_path_factory, config):
    """So a configuration that was put together by flags can be kept."""
    flags = [Given(setting, setting.format(getattr(config, setting.field)), "a test") for setting in SETTINGS]
    file = tmp_path_factory.getbasetemp() / "kept.toml"
    file.write_text("\n".join(load(flags, {}).lines()), encoding="utf-8")
    assert load([], {}, str(file)).config == config


def test_without_anything_there_are_the_defaults():
    """Ready to use: this machine only, a journal in a file, everything kept."""
    effective = load([], {"HOME": "/", "CLASP_URL": "ws://x"})
    assert effective.config == RouterConfig()
    assert set(effective.sources.values()) == {"default"}
    assert str(effective.config.listen) == "127.0.0.1:7330"
    assert effective.config.journal == "sqlite:clasp-journal.db"
    assert effective.config.retain == Retention()
    assert effective.config.on_journal_error is OnJournalError.STOP


def test_the_later_source_is_the_stronger(tmp_path):
    """File, environment, flag; each only for what it names."""
    file = tmp_path / "clasp-router.toml"
    file.write_text(
        'name = "file"\nmax-rate = 5\nlog-format = "json"\nverbose = true\nsnapshot-every = 0.5\n'
    )
    environment = {"CLASP_ROUTER_NAME": "environment", "CLASP_ROUTER_MAX_RATE": "6/s"}
    effective = load([flag("name", "flag")], environment)
    config, sources = effective.config, effective.sources
    assert (config.name, sources["name"]) == ("flag", "--name")
    assert (config.max_rate, sources["max-rate"]) == (6, "CLASP_ROUTER_MAX_RATE")
    assert (config.log_format, sources["log-format"]) == ("json", "clasp-router.toml: log-format")
    assert (config.verbose, config.snapshot_every_s) == (True, 0.5)
    assert sources["retain"] == "default"


def test_a_file_that_is_named_is_read_instead_of_the_usual_one(tmp_path):
    """Never both."""
    (tmp_path / "clasp-router.toml").write_text('name = "usual"\nmax-rate = 5\n')
    (tmp_path / "stage.toml").write_text('name = "stage"\n')
    config = load([], {}, "stage.toml").config
    assert (config.name, config.max_rate) == ("stage", 0)


def test_a_file_that_is_named_has_to_be_there():
    """The usual one may be missing."""
    with pytest.raises(ConfigError, match=r"^stage.toml cannot be read: No such file"):
        load([], {}, "stage.toml")


@pytest.mark.parametrize("text", ["name = \n", "no toml", "name = 'a'\nname = 'b'\n"])
def test_a_file_that_is_no_toml_is_named_with_the_place(tmp_path, text):
    """The line comes from the reader of TOML."""
    (tmp_path / "clasp-router.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"^clasp-router.toml cannot be read: .*line"):
        load([], {})


def test_a_file_that_is_no_text_is_refused(tmp_path):
    """Whatever it is."""
    (tmp_path / "clasp-router.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"^clasp-router.toml cannot be read: "):
        load([], {})


@pytest.mark.parametrize(
    ("key", "nearest"), [("snapshot_every", "snapshot-every"), ("retian", "retain"), ("Listen", "listen")]
)
def test_an_unknown_key_is_refused_with_the_nearest(tmp_path, key, nearest):
    """A setting has one name everywhere."""
    (tmp_path / "clasp-router.toml").write_text(f'{key} = "x"')
    with pytest.raises(ConfigError, match=f"toml: there is no setting '{key}'; the nearest is '{nearest}'$"):
        load([], {})


def test_an_unknown_variable_is_refused_with_the_nearest():
    """Only those that begin with our prefix are ours."""
    with pytest.raises(
        ConfigError, match="no variable CLASP_ROUTER_SNAPSHOT; the nearest is CLASP_ROUTER_SNAPSHOT_EVERY"
    ):
        load([], {"CLASP_ROUTER_SNAPSHOT": "1s"})


def test_a_table_is_no_value(tmp_path):
    """Settings are flat."""
    (tmp_path / "clasp-router.toml").write_text("[journal]\npath = 'x'")
    with pytest.raises(ConfigError, match="journal: neither a text, a number nor true or false"):
        load([], {})


BAD_VALUES = {
    "listen": ("nowhere", "like 127.0.0.1:7330"),
    "name": ("a\nb", "like stage-left"),
    "cert": ("", "an example is show.jsonl"),
    "key": ("", "an example is show.jsonl"),
    "client-ca": ("", "an example is show.jsonl"),
    "allow-origin": ("desk.example", "like https://desk.example"),
    "allow-host": ("http://stage", "like stage.local"),
    "allow-native": ("yes", "none of true, false"),
    "journal": ("redis://x", "like sqlite:show.db"),
    "journal-wait": ("a while", "like 30s"),
    "snapshot-every": ("10ms", "at the most every 0.1s"),
    "retain": ("much", "like 30d"),
    "rules": ("/meters/** sometimes", "like '/meters/** sample 1s'"),
    "thin-after": ("later", "like 30s"),
    "on-journal-error": ("panic", "none of stop, serve"),
    "mirror": ("a\nb", "an example is show.jsonl"),
    "mirror-size": ("huge", "like 500MB or 1GB"),
    "mirror-compress": ("zip", "none of none, gzip"),
    "mirror-key": ("", "an example is show.jsonl"),
    "mirror-check": ("some", "none of end, all"),
    "auth": ("a\nb", "an example is show.jsonl"),
    "max-sessions": ("0", "like 10 or 10k"),
    "max-per-address": ("many", "like 5000, 10k or 50M"),
    "max-rate": ("fast", "like 1000/s"),
    "session-timeout": ("soon", "like 30s"),
    "param-ttl": ("0.5s", "like 90, 5min or 1h"),
    "log-format": ("xml", "none of text, json"),
    "verbose": ("yes", "none of true, false"),
}


@pytest.mark.parametrize("name", BY_NAME)
def test_a_bad_value_is_refused_with_its_source_and_an_example(name):
    """From a variable and from a flag."""
    text, example = BAD_VALUES[name]
    with pytest.raises(ConfigError) as refusal:
        load([flag(name, text)], {})
    assert str(refusal.value).startswith(f"--{name}: ")
    assert example in str(refusal.value)
    variable = BY_NAME[name].variable
    with pytest.raises(ConfigError, match=f"^{variable}: "):
        load([], {variable: text})


@pytest.mark.parametrize(
    ("text", "journal"),
    [
        ("show.db", "sqlite:show.db"),
        ("sqlite:/var/lib/show.db", "sqlite:/var/lib/show.db"),
        ("memory:", "memory:"),
        ("memory:500", "memory:500"),
        ("none", "none"),
        ("memory", "sqlite:memory"),
        ("C:show.db", "sqlite:C:show.db"),
    ],
)
def test_a_journal_without_a_scheme_is_a_path(text, journal):
    """As the relay's --journal PATH."""
    assert load([flag("journal", text)], {}).config.journal == journal


@pytest.mark.parametrize(
    "written",
    [
        'rules = ["/a keep", "/** never"]',
        'rules = """\n  # what is kept\n  /a keep\n  /** never\n"""',
        'rules = "/a keep; /** never"',
    ],
)
def test_rules_are_lines_a_list_or_one_text(tmp_path, written):
    """In their order; as flags they may be given one by one."""
    (tmp_path / "stage.toml").write_text(written)
    assert load([], {}, str(tmp_path / "stage.toml")).config.rules == ("/a keep", "/** never")
    assert load([flag("rules", "/a keep;/** never")], {}).config.rules == ("/a keep", "/** never")


@pytest.mark.parametrize(
    "text", ["", "sqlite:", "memory:0", "memory:many", "memory:-1", "sqlite://x.db", "a\0b"]
)
def test_a_journal_that_cannot_be_is_refused_before_anything_starts(text):
    """With all the forms that there are."""
    with pytest.raises(ConfigError, match=r"like sqlite:show\.db, memory:, memory:50000 or none"):
        load([flag("journal", text)], {})


def test_a_program_may_write_what_a_file_may():
    """A config is the same whoever makes it: paths and addresses are taken as they are meant."""
    config = RouterConfig(journal="show.db", listen=Address("::1", 0), snapshot_every_s=5)
    assert (config.journal, config.backend, config.journal_path) == ("sqlite:show.db", "sqlite", "show.db")
    assert (
        config
        == load(
            [flag("journal", "show.db"), flag("listen", "[::1]:0"), flag("snapshot-every", "5s")], {}
        ).config
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("listen", "127.0.0.1:80:"), ("name", ""), ("journal", "memory:0"), ("snapshot_every_s", 0.0),
        ("retain", Retention(entries=0)), ("on_journal_error", "stop"), ("max_sessions", 0), ("max_rate", -1),
        ("session_timeout_s", float("nan")), ("param_ttl", absolute_ttl(5)), ("log_format", "xml"),
        ("verbose", 1),
    ],
)  # fmt: skip
def test_a_config_that_would_not_work_cannot_be_made(field, value):
    """Also not in a program; the error names the field."""
    with pytest.raises(ConfigError, match=f"^{field}: "):
        RouterConfig(**{field: value})
    with pytest.raises(ConfigError, match=f"^{field}: "):
        dataclasses.replace(RouterConfig(), **{field: value})


def test_the_limits_follow_from_the_settings():
    """Those that an operator can set."""
    limits = RouterConfig(max_sessions=7, max_rate=8, session_timeout_s=9.0).limits()
    assert (limits.sessions, limits.messages_per_s, limits.session_timeout_s) == (7, 8, 9.0)
