"""The page of all commands."""

import re
from collections.abc import Mapping
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from sim.cli.app import app

INTRODUCTION = """# Commands

What the help of each command says. Options can stand before or after what they are about.
"""
HEAD = "| | What it says |\n| --- | --- |"


def drawn() -> str:
    """The help of each command, in the order of `sim --help`."""
    return "\n".join([INTRODUCTION, *(_section(name, command) for name, command in commands().items())])


# Any, because typer's own copy of click has no public name, and older ones have none.
def commands() -> Mapping[str, Any]:
    """The commands of `sim` by name."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    return group.commands


def _section(name: str, command: Any) -> str:
    rows = [_row(one) for one in command.params if not getattr(one, "hidden", False)]
    return f"## `sim {name}`\n\n{command.help.strip()}\n\n" + "\n".join([HEAD, *rows, "", _end(command), ""])


def _row(parameter: Any) -> str:
    value = "" if getattr(parameter, "is_flag", False) else parameter.metavar or ""
    is_argument = parameter.param_type_name == "argument"
    call = value if is_argument else f"{', '.join(parameter.opts)} {value}".strip()
    return f"| `{_cell(call)}` | {_cell(parameter.help)}{_default(parameter)} |"


def _default(parameter: Any) -> str:
    if parameter.default in (None, False, True) or "[default" in parameter.help:
        return ""
    return f" [default: {parameter.default}]"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _end(command: Any) -> str:
    # The backspace keeps click from wrapping what follows.
    told = re.sub(r"\n{3,}", "\n\n", command.epilog.replace("\b", "")).strip()
    return f"```text\n{told}\n```"
