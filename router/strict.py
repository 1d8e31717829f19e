"""Commands that know what was meant: an option or a command that does not exist names its nearest."""

from __future__ import annotations

import click

from router.config import nearest_of


class Strict(click.Command):
    """A command that names the nearest flag to a wrong one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            name = error.option_name
            known = [flag for param in self.params for flag in param.opts]
            raise click.UsageError(
                f"there is no option {name}; the nearest is {nearest_of(name, known)}", ctx
            ) from None


class StrictGroup(Strict, click.Group):
    """The same for a command that has others below it, and for their names."""

    command_class = Strict

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None:
            nearest = nearest_of(args[0], self.list_commands(ctx))
            raise click.UsageError(f"there is no command {args[0]!r}; the nearest is {nearest}", ctx)
        return super().resolve_command(ctx, args)
