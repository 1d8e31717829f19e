"""`clasp-router`: flags in, a running router or a list of its settings out."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

from router.config import SETTINGS, ConfigError, Effective, load

USAGE = 2

_Command = Callable[..., Any]


class _Forgiving(click.Group):
    """A group that runs the router when no command is named, and names the nearest flag to a wrong one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            known = [flag for param in self.params for flag in param.opts]
            nearest = difflib.get_close_matches(error.option_name, known, 1, 0.0)
            raise click.UsageError(
                f"there is no option {error.option_name}; the nearest is {nearest[0]}", ctx
            ) from None


def _settings(command: _Command) -> _Command:
    """One flag per setting, under the same name."""
    for setting in reversed(SETTINGS):
        if setting.name == "verbose":
            continue
        names = [f"--{setting.name}", *({"name": ["-n"]}.get(setting.name, []))]
        command = click.option(*names, setting.field, metavar="TEXT", help=setting.help)(command)
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


@click.group(
    cls=_Forgiving, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@_settings
@click.option("--config", metavar="FILE", help="a TOML file; ./clasp-router.toml is read when it is there")
@click.option("-v", "--verbose", is_flag=True, help="log more")
@_relay_flags
@click.version_option(package_name="clasp-journal")
@click.pass_context
def main(ctx: click.Context, /, config: str | None, **flags: Any) -> None:
    """Route CLASP messages and remember every one of them.

    Without any option: ws://127.0.0.1:7330, journal in ./clasp-journal.db.

    \b
    clasp-router
    clasp-router --listen 0.0.0.0:7330 --journal sqlite:show.db
    clasp-router --journal memory:50000 --max-rate 1000/s
    clasp-router check --config stage.toml
    """
    try:
        ctx.obj = load(_texts(flags), os.environ, config)
    except ConfigError as error:
        raise click.UsageError(str(error), ctx) from None
    if ctx.invoked_subcommand is None:
        _run(ctx.obj)


@main.command()
@click.pass_obj
def check(effective: Effective) -> None:
    """Validate the configuration; print every setting and where it came from.

    \b
    clasp-router check
    CLASP_ROUTER_LISTEN=:8000 clasp-router --retain 30d check
    """
    width = max(len(setting.name) for setting in SETTINGS)
    for setting in SETTINGS:
        value = setting.format(getattr(effective.config, setting.field))
        click.echo(f"{setting.name:<{width}}  {value}  ({effective.sources[setting.name]})")


def _texts(flags: dict[str, Any]) -> dict[str, str]:
    """The flags that were given, by setting name; the relay's own are translated."""
    by_field = {setting.field: setting.name for setting in SETTINGS}
    texts = {
        by_field[field]: text
        for field, text in flags.items()
        if field in by_field and text not in (None, False)
    }
    if texts.get("verbose"):
        texts["verbose"] = "true"
    if flags["relay_port"] or flags["relay_host"]:
        texts["listen"] = f"{flags['relay_host'] or '127.0.0.1'}:{flags['relay_port'] or 7330}"
    if flags["journal_memory"]:
        texts["journal"] = "memory:"
    if flags["persist_interval"]:
        texts["snapshot-every"] = flags["persist_interval"]
    if flags["no_ttl"]:
        texts["param-ttl"] = "never"
    return texts


def _run(effective: Effective) -> NoReturn:
    from router import logs
    from router.daemon import run

    logs.set_up(effective.config.log_format, verbose=effective.config.verbose)
    sys.exit(run(effective.config))
