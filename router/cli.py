"""`clasp-router`: flags in, a running router or a list of its settings out.

Law: what is wrong with flags, environment or file is told in one line, and the exit code is 2.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

from clasp_journal.command_line import StrictGroup, told
from clasp_journal.streams import have_all_streams
from router.advice import hindrances, inapplicable
from router.config import BY_NAME, SETTINGS, ConfigError, RouterConfig, Setting
from router.network import risks
from router.sources import Effective, Given, load
from router.spelling import parse_switch
from router.token_cli import token
from router.top_cli import top
from router.wire import packing

PROGRAM = "clasp-router"

_Command = Callable[..., Any]

CANNOT_OPEN = 3
_INTERRUPTED = 130

_SHORT = {"name": "-n", "verbose": "-v"}
_FIXED = {"journal_memory": ("journal", "memory:"), "no_ttl": ("param-ttl", "never")}
"""Flags of the relay that stand for a setting with a value."""
_CONTEXT = {"help_option_names": ["-h", "--help"]}
_NOT_GIVEN: tuple[object, ...] = (None, False, ())
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
        command = click.option(*names, help=_help(setting), **shown)(command)
    return command


def _help(setting: Setting) -> str:
    default = setting.format(getattr(RouterConfig(), setting.field))
    return setting.help if default in ("none", "false") else f"{setting.help}; default {default}"


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


class _Program(StrictGroup):
    """Whatever it comes to: one line on stderr, and a code."""

    def main(self, *args: Any, **more: Any) -> NoReturn:
        try:
            ended = super().main(*args, **{"prog_name": PROGRAM} | more | {"standalone_mode": False})
            sys.stdout.flush()
        except click.UsageError as error:
            click.echo(told(error), err=True)
            sys.exit(2)
        except click.ClickException as error:
            click.echo(f"{PROGRAM}: {error.format_message()}", err=True)
            sys.exit(error.exit_code)
        except click.Abort:
            sys.exit(_INTERRUPTED)
        except BrokenPipeError:
            # Let the interpreter flush what is left into nothing, not into the closed pipe.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        sys.exit(ended if isinstance(ended, int) else 0)


@click.group(PROGRAM, cls=_Program, invoke_without_command=True, context_settings=_CONTEXT)
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

    Every setting is printed with where it came from, as a file for --config; it ends with 3 if the
    certificate or the tokens cannot be used. With --live the router on this machine is asked for /readyz
    instead, by TLS if it has a certificate: it ends with 0 if it is ready and with 3 if it is not, or does
    not answer. With client-ca it shows the router's own certificate, which that authority has to have
    signed, too.
    """
    before = ctx.parent.params if ctx.parent is not None else {}
    given = {name: before.get(name) if flag in _NOT_GIVEN else flag for name, flag in flags.items()}
    effective = _load(ctx, config or before.get("config"), given)
    if live:
        _ask(effective.config)
    for line in effective.lines():
        click.echo(line)
    for line in inapplicable(effective.config):
        click.echo(f"# {line}")
    for risk in risks(effective.config):
        click.echo(f"# risk: {risk}")
    found = list(hindrances(effective.config))
    for line in found:
        click.echo(f"{ctx.command_path}: it will not start: {line}", err=True)
    sys.exit(CANNOT_OPEN if found else 0)


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


def _ask(config: RouterConfig) -> NoReturn:
    from router.readiness import ask

    readiness = ask(config)
    click.echo(readiness.told, err=not readiness.is_ready)
    sys.exit(0 if readiness.is_ready else CANNOT_OPEN)


def _run(effective: Effective) -> NoReturn:
    from router import logs
    from router.program import run

    logs.set_up(effective.config.log_format, verbose=effective.config.verbose)
    sys.exit(run(effective.config))


main.add_command(token)
main.add_command(top)
