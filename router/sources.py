"""Where the settings of a router come from, and which are in force.

A setting comes from, the later the stronger: its default, a TOML file (`./clasp-router.toml` or
`--config`), the environment (`CLASP_ROUTER_SNAPSHOT_EVERY`), a flag (`--snapshot-every`). Law: what is
unknown or cannot be read is refused, with the nearest name that exists.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from clasp_journal.command_line import nearest_of
from router.config import BY_NAME, ENVIRONMENT_PREFIX, SETTINGS, ConfigError, RouterConfig, Setting

DEFAULT_FILE = "clasp-router.toml"


class Given(NamedTuple):
    """A setting as somebody has given it: the text, and the words it came by."""

    setting: Setting
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Effective:
    """The settings in force, and where each came from."""

    config: RouterConfig
    sources: Mapping[str, str]

    def lines(self) -> Iterator[str]:
        """All settings with their sources, as a file that sets the same."""
        rows = [(f"{setting.name} = {self._as_toml(setting)}", setting.name) for setting in SETTINGS]
        width = max(len(line) for line, _ in rows)
        for line, name in rows:
            yield f"{line:<{width}}  # {self.sources[name]}"

    def _as_toml(self, setting: Setting) -> str:
        value = getattr(self.config, setting.field)
        if setting.is_list:
            return json.dumps(list(value), ensure_ascii=False)
        text = setting.format(value)
        is_bare = isinstance(value, int) and (text.isdecimal() or isinstance(value, bool))
        return text if is_bare else json.dumps(text, ensure_ascii=False)


def load(flags: Iterable[Given], environment: Mapping[str, str], config_file: str | None = None) -> Effective:
    """The settings that all sources together amount to."""
    values: dict[str, Any] = {}
    sources = {setting.name: "default" for setting in SETTINGS}
    for setting, text, source in (*_from_file(config_file), *_from_environment(environment), *flags):
        try:
            values[setting.field] = setting.parse(text)
        except ValueError as error:
            raise ConfigError(f"{source}: {error}") from None
        sources[setting.name] = source
    return Effective(RouterConfig(**values), sources)


def _from_file(config_file: str | None) -> Iterator[Given]:
    path = Path(DEFAULT_FILE if config_file is None else config_file)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        if config_file is None and isinstance(error, FileNotFoundError):
            return
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{path} cannot be read: {reason}") from None
    for name, value in table.items():
        if name not in BY_NAME:
            nearest = nearest_of(name, BY_NAME)
            raise ConfigError(f"{path}: there is no setting {name!r}; the nearest is {nearest!r}")
        if BY_NAME[name].is_list and isinstance(value, list):
            value = BY_NAME[name].separator.join(map(str, value)) or "none"
        if not isinstance(value, (str, int, float)):
            raise ConfigError(f"{path}: {name}: neither a text, a number nor true or false")
        text = str(value).lower() if isinstance(value, bool) else str(value)
        yield Given(BY_NAME[name], text, f"{path}: {name}")


def _from_environment(environment: Mapping[str, str]) -> Iterator[Given]:
    by_variable = {setting.variable: setting for setting in SETTINGS}
    for variable, text in environment.items():
        if variable.startswith(ENVIRONMENT_PREFIX):
            if variable not in by_variable:
                nearest = nearest_of(variable, by_variable)
                raise ConfigError(f"there is no variable {variable}; the nearest is {nearest}")
            yield Given(by_variable[variable], text, variable)
