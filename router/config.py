"""The settings of `clasp-router`: few, for people, each with one name everywhere.

Laws: a `RouterConfig` that exists is valid, whoever made it; each setting is read back as it is written.
Where a setting may come from is told in `router.sources`; limits for code are in `router.core.limits`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

from clasp_journal.entry import TTL_NEVER
from clasp_journal.rules import format_rules, parse_rules
from router.core.limits import Limits
from router.quantities import (
    Address,
    Retention,
    exact_size,
    format_span,
    parse_count,
    parse_listen,
    parse_rate_per_s,
    parse_retention,
    parse_size_bytes,
    parse_span_s,
)
from router.recording.options import JournalOptions, OnJournalError
from router.spelling import (
    format_list,
    format_switch,
    format_ttl,
    one_of,
    parse_file,
    parse_journal,
    parse_list,
    parse_name,
    parse_sessions,
    parse_snapshot_every,
    parse_switch,
    parse_ttl,
)
from router.transports.guard import parse_host_name, parse_origin

ENVIRONMENT_PREFIX = "CLASP_ROUTER_"

_LISTEN = Address("127.0.0.1", 7330)
_EVERYTHING = Retention()


class ConfigError(ValueError):
    """A setting that does not exist, or a value that cannot be read."""


@dataclass(frozen=True, slots=True)
class RouterConfig:
    """Everything an operator can set. A value that is none raises `ConfigError`."""

    listen: Address = _LISTEN
    name: str = "clasp-router"
    cert: str = "none"
    key: str = "none"
    client_ca: str = "none"
    allow_origin: tuple[str, ...] = ()
    allow_host: tuple[str, ...] = ()
    allow_native: bool = False
    journal: str = "sqlite:clasp-journal.db"
    journal_wait_s: float = JournalOptions("").lock_wait_s
    snapshot_every_s: float = 30.0
    retain: Retention = _EVERYTHING
    rules: tuple[str, ...] = ()
    thin_after_s: float = 3_600.0
    on_journal_error: OnJournalError = OnJournalError.STOP
    mirror: str = "none"
    mirror_size_bytes: int = 1_000_000_000
    mirror_compress: str = "none"
    mirror_key: str = "none"
    mirror_check: str = "end"
    auth: str = "none"
    max_sessions: int = Limits().sessions
    max_per_address: int = Limits().connections_per_address
    max_rate: int = 0
    session_timeout_s: float = 0.0
    param_ttl: int = TTL_NEVER
    log_format: str = "text"
    verbose: bool = False

    def __post_init__(self) -> None:
        """Read every value as if it had been written, so that a program may set what a file may."""
        for setting in SETTINGS:
            try:
                value = setting.parse(setting.format(getattr(self, setting.field)))
            except (ValueError, TypeError, AttributeError) as error:
                raise ConfigError(f"{setting.field}: {error}") from error
            object.__setattr__(self, setting.field, value)

    def limits(self) -> Limits:
        """The limits that follow from the settings."""
        return replace(
            Limits(),
            sessions=self.max_sessions,
            connections_per_address=self.max_per_address,
            messages_per_s=self.max_rate,
            session_timeout_s=self.session_timeout_s,
        )

    @property
    def backend(self) -> str:
        """What kind of journal it is: sqlite, memory or none."""
        return self.journal.partition(":")[0]

    @property
    def mirror_options(self) -> tuple[str, int, str, str | None, str] | None:
        """The first fields of `MirrorOptions`; None if there is no mirror."""
        if self.mirror == "none":
            return None
        key = None if self.mirror_key == "none" else self.mirror_key
        return self.mirror, self.mirror_size_bytes, self.mirror_compress, key, self.mirror_check

    @property
    def journal_path(self) -> str:
        """The file of an SQLite journal."""
        return self.journal.removeprefix("sqlite:")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: where it lives in `RouterConfig`, and how it is read, written and explained."""

    name: str
    field: str
    parse: Callable[[str], Any]
    help: str
    format: Callable[[Any], str] = str
    is_list: bool = False
    """Whether it may be given several times, and as a list in a file."""
    separator: str = ","
    """What stands between the items of a list."""

    @property
    def flag(self) -> str:
        """Its name on a command line."""
        return f"--{self.name}"

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return ENVIRONMENT_PREFIX + self.name.upper().replace("-", "_")


SETTINGS = (
    Setting("listen", "listen", parse_listen, "HOST:PORT of the WebSocket door; port 0 takes any free one"),
    Setting("name", "name", parse_name, "the name told to clients"),
    Setting(
        "cert", "cert", parse_file, "a certificate in PEM, with its chain: clients connect by wss://; or none"
    ),
    Setting("key", "key", parse_file, "its key in PEM; none if that stands in the same file"),
    Setting(
        "client-ca", "client_ca", parse_file, "clients have to show a certificate of this authority; or none"
    ),
    Setting(
        "allow-origin",
        "allow_origin",
        partial(parse_list, parse_origin),
        "pages besides those of the same host that may connect, like https://desk.example; * lets all",
        format_list,
        is_list=True,
    ),
    Setting(
        "allow-host",
        "allow_host",
        partial(parse_list, parse_host_name),
        "names by which clients reach this router, besides localhost and addresses, like stage.local",
        format_list,
        is_list=True,
    ),
    Setting(
        "allow-native",
        "allow_native",
        parse_switch,
        "let programs of other machines in that show no token",
        format_switch,
    ),
    Setting("journal", "journal", parse_journal, "sqlite:PATH, memory:, memory:ENTRIES or none"),
    Setting(
        "journal-wait",
        "journal_wait_s",
        parse_span_s,
        "how long to wait at the start for another router to let go of the journal",
        format_span,
    ),
    Setting(
        "snapshot-every",
        "snapshot_every_s",
        parse_snapshot_every,
        "span between snapshots of all params, while they change",
        format_span,
    ),
    Setting(
        "retain",
        "retain",
        parse_retention,
        "how much of the past an SQLite journal keeps, like 30d,20GB,50M: age, size, entries; or all",
    ),
    Setting(
        "rules",
        "rules",
        parse_rules,
        "what is kept of which addresses, like /cues/** keep; /meters/** sample 1s (see the README); or none",
        format_rules,
        is_list=True,
        separator=";",
    ),
    Setting(
        "thin-after",
        "thin_after_s",
        parse_span_s,
        "entries younger than this are whole, whatever the rules let go",
        format_span,
    ),
    Setting(
        "on-journal-error",
        "on_journal_error",
        lambda text: OnJournalError(one_of("stop", "serve")(text)),
        "stop refuses writes while the journal cannot keep them; serve applies them unrecorded",
        lambda policy: str(policy.value),
    ),
    Setting(
        "mirror", "mirror", parse_file, "a file that gets every entry too, as sealed JSON lines; or none"
    ),
    Setting(
        "mirror-size",
        "mirror_size_bytes",
        parse_size_bytes,
        "size at which a file of the mirror is closed and the next one begun; 0B never",
        exact_size,
    ),
    Setting(
        "mirror-compress",
        "mirror_compress",
        one_of("none", "gzip", "zstd"),
        "gzip or zstd compresses closed files; or none",
    ),
    Setting(
        "mirror-key",
        "mirror_key",
        parse_file,
        "an Ed25519 key in PEM that signs the mirror's checkpoints; or none",
    ),
    Setting(
        "mirror-check",
        "mirror_check",
        one_of("end", "all"),
        "what of the mirror is verified at the start: its end, or all of it (seconds per million lines)",
    ),
    Setting("auth", "auth", parse_file, "a file of tokens, without one of which nobody comes in; or none"),
    Setting("max-sessions", "max_sessions", parse_sessions, "sessions at the same time"),
    Setting(
        "max-per-address",
        "max_per_address",
        parse_count,
        "connections of one address at the same time, this machine excepted; 0 is off",
    ),
    Setting(
        "max-rate", "max_rate", parse_rate_per_s, "messages per second and session, like 1000/s; 0 is off"
    ),
    Setting(
        "session-timeout",
        "session_timeout_s",
        parse_span_s,
        "close sessions without traffic for so long; 0 is off",
        format_span,
    ),
    Setting(
        "param-ttl",
        "param_ttl",
        parse_ttl,
        "life of params that are set without one, since their last use; never",
        format_ttl,
    ),
    Setting("log-format", "log_format", one_of("text", "json"), "text or json"),
    Setting("verbose", "verbose", parse_switch, "log more", format_switch),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}


assert {setting.field for setting in SETTINGS} == {field.name for field in fields(RouterConfig)}
