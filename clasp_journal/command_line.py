"""A command line that is wrong is answered in one line: what is wrong, what would be right.

Law: whoever writes a name that does not exist is told the nearest that does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

_ASKS_FOR_HELP: Any = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""What newer versions of click raise for a command that cannot do without another."""


class Strict(click.Command):
    """A command that names the nearest option to a wrong one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            name = error.option_name
            if name[1:2].isdigit() and any(isinstance(param, click.Argument) for param in self.params):
                hint = "what begins with a dash is an option; as an argument write '90s ago' for -90s"
                raise click.UsageError(hint, ctx) from None
            known = [flag for param in self.get_params(ctx) for flag in param.opts]
            nearest = nearest_of(name, known)
            raise click.UsageError(f"there is no option {name}; the nearest is {nearest}", ctx) from None
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise


class StrictGroup(Strict, click.Group):
    """The same for a command that has others below it, and for their names."""

    command_class = Strict
    noun = "command"

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else "-"
        if not name.startswith("-") and name not in (known := self.list_commands(ctx)):
            nearest = nearest_of(name, known)
            raise click.UsageError(f"there is no {self.noun} {name!r}; the nearest is {nearest}", ctx)
        return super().resolve_command(ctx, args)


def nearest_of(name: str, known: Iterable[str]) -> str:
    """The name that was probably meant."""
    import difflib

    return difflib.get_close_matches(name, list(known), 1, 0.0)[0]


def told(error: click.UsageError) -> str:
    """The line for a command line that is wrong."""
    if isinstance(error, _ASKS_FOR_HELP):
        return str(error.format_message())
    text = error.format_message().rstrip(".")
    if isinstance(error, click.BadParameter) and (param := error.param) is not None:
        name = max(param.opts, key=len) if isinstance(param, click.Option) else param.human_readable_name
        is_missing = isinstance(error, click.MissingParameter)
        text = f"{name} is missing" if is_missing else f"{name}: {error.message.rstrip('.')}"
    if error.ctx is None:
        return text
    command = error.ctx.command_path
    return f"{command}: {text} (see {command} --help)"
