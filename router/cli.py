"""`clasp-router`: flags in, a running router or a list of its settings out.

Law: what is wrong with flags, environment or file is told in one line, and the exit code is 2.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import click

from clasp_journal.rules import Rules
from clasp_journal.streams import have_all_streams
from router.auth.store import StoreError
from router.auth.store import read as read_tokens
from router.config import (
    BY_NAME,
    SETTINGS,
    ConfigError,
    Effective,
    Given,
    RouterConfig,
    load,
)
from router.network import risks
from router.spelling import parse_switch
from router.strict import StrictGroup
from router.token_cli import token
from router.top_cli import top
from router.wire import packing

_Command = Callable[..., Any]

_NOT_READY = 3

_SHORT = {"name": "-n", "verbose": "-v"}
_FIXED = {"journal_memory": ("journal", "memory:"), "no_ttl": ("param-ttl", "never")}
"""Flags of the relay that stand for a setting with a value."""
_CONTEXT = {"help_option_names": ["-h", "--help"]}
_BUILD = "" if packing.__file__.endswith(".py") else ", compiled"
"""Whether the hot modules are; see setup.py."""


def _settings(command: _Command) -> _Command:
    """One flag per setting, under the same name."""
    for setting in reversed(SETTINGS):
        names = [setting.flag, setting.field]
        if setting.name in _SHORT:
            names.append(_SHORT[setting.name])
        shown: dict[str, Any] = {"metavar": "TEXT", "multiple": setting.is_list}
        if setting.parse is parse_switch:
            shown = {"is_flag": True}
        command = click.option(*names, help=setting.help, **shown)(command)
    return command


def _relay_flags(command: _Command) -> _Command:
    """The flags of the relay that users come from."""
    for decorate in (
        click.option("--ws-port", "--port", "-p", "relay_port", metavar="PORT", help="the port of --listen"),
        click.option("--host", "relay_host", metavar="HOST", help="the host of --listen"),
        click.option("--journal-memory", is_flag=True, help="the same as --journal memory:"),
        click.option("--persist-interval", metavar="SECONDS", help="the same as --snapshot-every"),
        click.option("--no-ttl", is_flag=True, help="the same as --param-ttl never"),
    ):
        command = decorate(command)
    return command


def _all_flags(command: _Command) -> _Command:
    """Everything that says how a router is to run."""
    told = "a TOML file; ./clasp-router.toml is read when it is there"
    return _settings(click.option("--config", metavar="FILE", help=told)(_relay_flags(command)))


@click.group(cls=StrictGroup, invoke_without_command=True, context_settings=_CONTEXT)
@_all_flags
@click.version_option(package_name="clasp-journal", message=f"%(prog)s, version %(version)s{_BUILD}")
@click.pass_context
def main(ctx: click.Context, /, config: str | None, **flags: Any) -> None:
    """Route CLASP messages and remember every one of them.

    Without any option: ws://127.0.0.1:7330, journal in ./clasp-journal.db.

    \b
    clasp-router
    clasp-router --listen 0.0.0.0:7330 --journal sqlite:show.db --retain 30d,20GB
    clasp-router --journal memory:50000 --max-rate 1000/s
    clasp-router check --config stage.toml

    SIGHUP has the certificate read again. Ends with 0 after SIGTERM or SIGINT, 2 if the configuration is
    wrong, 3 if the port, the certificate or the journal cannot be had, 1 if it failed otherwise.
    """
    have_all_streams()
    if ctx.invoked_subcommand is None:
        _run(_load(ctx, config, flags))


@main.command(context_settings=_CONTEXT)
@click.option("--live", is_flag=True, help="ask the router that runs with these settings whether it is ready")
@_all_flags
@click.pass_context
def check(ctx: click.Context, /, config: str | None, live: bool, **flags: Any) -> None:
    """Validate the configuration, and start nothing.

    Every setting is printed with where it came from, as a file for --config. With --live the router on this
    machine is asked for /readyz instead, by TLS if it has a certificate: it ends with 0 if it is ready and
    with 3 if it is not, or does not answer. With client-ca it shows the router's own certificate, which that
    authority has to have signed, too.
    """
    before = ctx.parent.params if ctx.parent is not None else {}
    given = {name: flags[name] or before.get(name) for name in flags}
    effective = _load(ctx, config or before.get("config"), given)
    if live:
        _ask(effective.config)
    for line in effective.lines():
        click.echo(line)
    for line in _inapplicable(effective.config):
        click.echo(f"# {line}")
    for risk in risks(effective.config):
        click.echo(f"# risk: {risk}")


def _load(ctx: click.Context, config_file: str | None, flags: dict[str, Any]) -> Effective:
    try:
        return _read(flags, config_file)
    except ConfigError as error:
        raise click.UsageError(str(error), ctx) from None


def _read(flags: dict[str, Any], config_file: str | None) -> Effective:
    given = _given(flags)
    effective = load(given, os.environ, config_file)
    host, port = flags["relay_host"], flags["relay_port"]
    if host is None and port is None:
        return effective
    if any(one.setting.name == "listen" for one in given):
        raise ConfigError("--listen already says what --host and --port say: give one or the other")
    listen = effective.config.listen
    host = listen.host if host is None else host
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    text = f"{host}:{listen.port if port is None else port}"
    source = "--host" if flags["relay_port"] is None else "--port"
    return load([*given, Given(BY_NAME["listen"], text, source)], os.environ, config_file)


def _given(flags: dict[str, Any]) -> list[Given]:
    """The flags that were given; the relay's own are translated."""
    given = []
    for setting in SETTINGS:
        text = flags[setting.field]
        if setting.is_list:
            text = setting.separator.join(text) if text else None
        if text not in (None, False):
            given.append(Given(setting, "true" if text is True else text, setting.flag))
    for parameter, (name, text) in _FIXED.items():
        if flags[parameter]:
            given.append(Given(BY_NAME[name], text, f"--{parameter.replace('_', '-')}"))
    if flags["persist_interval"] is not None:
        given.append(Given(BY_NAME["snapshot-every"], flags["persist_interval"], "--persist-interval"))
    first: dict[str, str] = {}
    for setting, _, source in given:
        if first.setdefault(setting.name, source) != source:
            raise ConfigError(f"{first[setting.name]} and {source} both set {setting.name}: give one of them")
    return given


def _inapplicable(config: RouterConfig) -> Iterator[str]:
    if config.cert == "none" and (config.key, config.client_ca) != ("none", "none"):
        yield "key and client-ca need a cert: it will not start"
    if config.auth != "none":
        try:
            read_tokens(config.auth)
        except (OSError, StoreError) as fault:
            yield f"auth: {fault}: it will not start"
    if str(config.retain) != "all" and config.backend != "sqlite":
        yield f"retain does not apply: the journal is {config.journal}"
    if config.rules and config.backend == "none":
        yield "rules do not apply: the journal is none"
    elif Rules(config.rules).thin and config.backend != "sqlite":
        yield f"of the rules only never and keep apply: the journal is {config.journal}"
    if config.mirror != "none" and config.backend != "sqlite":
        yield f"mirror does not apply: the journal is {config.journal}"


def _ask(config: RouterConfig) -> NoReturn:
    from router.readiness import ask

    readiness = ask(config)
    click.echo(readiness.told, err=not readiness.is_ready)
    sys.exit(0 if readiness.is_ready else _NOT_READY)


def _run(effective: Effective) -> NoReturn:
    from router import logs
    from router.program import run

    logs.set_up(effective.config.log_format, verbose=effective.config.verbose)
    sys.exit(run(effective.config))


main.add_command(token)
main.add_command(top)
