"""How the first word of the command line finds its command."""

from os.path import exists
from typing import Any

from typer.core import TyperGroup


class Commands(TyperGroup):
    """The commands of `sim`. A file or folder in place of one is refused with the command that was left out."""

    # Any, because typer's own copy of click has no public name, and older ones have none.
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the first word names, and the other words."""
        if args[0] not in self.commands and exists(args[0]):
            ctx.fail(f"'{args[0]}' is no command; run it with: sim run {args[0]}")
        return super().resolve_command(ctx, args)
