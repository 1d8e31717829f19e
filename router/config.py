"""The settings of `clasp-router`: few, for people, each with one name everywhere.

A setting comes from, the later the stronger: its default, a TOML file (`./clasp-router.toml` or
`--config`), the environment (`CLASP_ROUTER_SNAPSHOT_EVERY`), a flag (`--snapshot-every`). What is unknown or
cannot be read is refused, with the nearest name that exists. Limits for code are in `router.core.limits`.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from clasp_journal.entry import TTL_NEVER, sliding_ttl, ttl_s
from router.core.limits import Limits
from router.quantities import (
    Address,
    Retention,
    format_span,
    parse_count,
    parse_listen,
    parse_rate_per_s,
    parse_retention,
    parse_span_s,
)
from router.runtime.keeping import OnJournalError

DEFAULT_FILE = "clasp-router.toml"
ENVIRONMENT_PREFIX = "CLASP_ROUTER_"

_LISTEN = Address("127.0.0.1", 7330)
_EVERYTHING = Retention()


class ConfigError(Exception):
    """A setting that does not exist, or a value that cannot be read."""


@dataclass(frozen=True, slots=True)
class RouterConfig:
    """Everything an operator can set."""

    listen: Address = _LISTEN
    name: str = "clasp-router"
    journal: str = "sqlite:clasp-journal.db"
    snapshot_every_s: float = 30.0
    retain: Retention = _EVERYTHING
    on_journal_error: OnJournalError = OnJournalError.STOP
    max_sessions: int = Limits().sessions
    max_rate: int = 0
    session_timeout_s: float = 0.0
    param_ttl: int = TTL_NEVER
    log_format: str = "text"
    verbose: bool = False

    def limits(self) -> Limits:
        """The limits that follow from the settings."""
        return replace(
            Limits(),
            sessions=self.max_sessions,
            messages_per_s=self.max_rate,
            session_timeout_s=self.session_timeout_s,
        )


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: where it lives in `RouterConfig`, and how it is read, written and explained."""

    name: str
    field: str
    parse: Callable[[str], Any]
    help: str
    format: Callable[[Any], str] = str


def _parse_journal(text: str) -> str:
    scheme, colon, rest = text.partition(":")
    if text in ("none", "memory:") or (scheme == "memory" and colon and rest.isdecimal()):
        return text
    if scheme == "memory" and colon:
        raise ValueError(f"{text!r} is no journal like sqlite:show.db, memory:, memory:50000 or none")
    path = rest if scheme == "sqlite" and colon else text
    if not path:
        raise ValueError(f"{text!r} names no file")
    return f"sqlite:{path}"


def _parse_ttl(text: str) -> int:
    if text == "never":
        return TTL_NEVER
    seconds = parse_span_s(text)
    if not 1 <= seconds < 1 << 31:
        raise ValueError(f"{text!r} is neither never nor a span of at least 1s")
    return sliding_ttl(int(seconds))


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"{text!r} is none of {', '.join(choices)}")
        return text

    return parse


def _parse_switch(text: str) -> bool:
    return _one_of("true", "false")(text.lower()) == "true"


def _parse_name(text: str) -> str:
    if not text or len(text.encode(errors="replace")) > 255:
        raise ValueError("a name has 1 to 255 bytes")
    return text


SETTINGS = (
    Setting("listen", "listen", parse_listen, "HOST:PORT of the WebSocket door; port 0 takes any free one"),
    Setting("name", "name", _parse_name, "the name told to clients"),
    Setting("journal", "journal", _parse_journal, "sqlite:PATH, memory:, memory:ENTRIES or none"),
    Setting(
        "snapshot-every",
        "snapshot_every_s",
        parse_span_s,
        "span between snapshots of all params",
        format_span,
    ),
    Setting("retain", "retain", parse_retention, "how much of the past is kept, like 30d,20GB,50M; all"),
    Setting(
        "on-journal-error",
        "on_journal_error",
        lambda text: OnJournalError(_one_of("stop", "serve")(text)),
        "stop refuses writes while the journal cannot keep them; serve applies them unrecorded",
        lambda policy: str(policy.value),
    ),
    Setting("max-sessions", "max_sessions", parse_count, "sessions at the same time"),
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
        _parse_ttl,
        "life of params that are set without one, since their last use; never",
        lambda word: "never" if word == TTL_NEVER else format_span(ttl_s(word)),
    ),
    Setting("log-format", "log_format", _one_of("text", "json"), "text or json"),
    Setting("verbose", "verbose", _parse_switch, "log more", lambda on: str(on).lower()),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True)
class Effective:
    """The settings in force, and where each came from."""

    config: RouterConfig
    sources: Mapping[str, str]


def load(
    flags: Mapping[str, str], environment: Mapping[str, str], config_file: str | None = None
) -> Effective:
    """Read all sources; `flags` are texts by setting name."""
    values: dict[str, Any] = {}
    sources = {setting.name: "default" for setting in SETTINGS}
    layers = [*_file_layer(config_file), ("environment", _environment_layer(environment)), ("flag", flags)]
    for source, layer in layers:
        for name, text in layer.items():
            setting = _find(name, source)
            try:
                values[setting.field] = setting.parse(text)
            except ValueError as error:
                raise ConfigError(f"{source}, {name}: {error}") from None
            sources[name] = source
    return Effective(replace(RouterConfig(), **values), sources)


def _file_layer(config_file: str | None) -> list[tuple[str, Mapping[str, str]]]:
    path = Path(config_file or DEFAULT_FILE)
    if config_file is None and not path.exists():
        return []
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    texts = {}
    for name, value in table.items():
        if not isinstance(value, (str, int, float)):
            raise ConfigError(f"{path}, {name}: neither a text, a number nor true or false")
        texts[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return [(str(path), texts)]


def _environment_layer(environment: Mapping[str, str]) -> Mapping[str, str]:
    return {
        key.removeprefix(ENVIRONMENT_PREFIX).lower().replace("_", "-"): text
        for key, text in environment.items()
        if key.startswith(ENVIRONMENT_PREFIX)
    }


def _find(name: str, source: str) -> Setting:
    setting = BY_NAME.get(name)
    if setting is None:
        nearest = difflib.get_close_matches(name, BY_NAME, 1, 0.0)
        raise ConfigError(f"{source}: there is no setting {name!r}; the nearest is {nearest[0]!r}")
    return setting


assert {setting.field for setting in SETTINGS} == {field.name for field in fields(RouterConfig)}
