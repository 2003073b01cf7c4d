"""A group of commands: help where none is named, the nearest one where a name is mistyped."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from postsched.cli.manual import Page


class Group(Page, TyperGroup):
    """A group whose commands are there from the start."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As usual; without any argument the help is shown before it is refused."""
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help())
            ctx.fail("no command is given")
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Name, command and the arguments left. A name that does not exist is refused with the
        nearest one, or (for completion) gives no command."""
        name = args[0]
        command = self.load(ctx, name)
        if command is None and not ctx.resilient_parsing:
            from postsched.domain.nearest import did_you_mean

            what = f"there is no command {name!r}"
            ctx.fail(f"{what}. {did_you_mean(name, self.list_commands(ctx))}")
        return name if command else None, command, args[1:]

    def chapters(self, ctx: Any) -> list[tuple[str, list[str]]]:
        """The commands as the help lists them, under titles."""
        return [("Commands", self.list_commands(ctx))]

    def load(self, ctx: Any, name: str) -> Any:
        """The command of that name, None if there is none."""
        return self.get_command(ctx, name)
