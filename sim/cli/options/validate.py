"""The options of `sim validate`, as the user types and reads them."""

from pathlib import Path
from typing import Annotated

import typer

from sim.cli.options.help import examples

HELP_END = (
    examples(
        "sim validate --quick",
        "sim validate --model M/M/1 --model M/M/c",
        "sim validate --file mine.json --json",
    )
    + """
\b
Exit codes:
    0  the simulator agrees with the table, but for what chance explains
    1  it does not
    2  the command line or the file is wrong; nothing ran
    4  a process was killed, or sim is at fault
    5  nothing was compared
  130  Ctrl-C; 143: a TERM signal; 141: the reader of the output left
"""
)


def validate_table(
    model: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Compare only rows of this model; repeat it for more.")
    ] = None,
    ids: Annotated[
        list[str] | None, typer.Option("--id", metavar="ID", help="Compare only this row; repeat it for more.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A table of your own (JSON). [default: the one that comes with sim]"),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Compare one system of each model, to 10 % instead of 1 %.")
    ] = False,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a page on the models and their rows, as Markdown.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", min=1, max=256, metavar="N", help="Use up to N processes. [default: all cores]"),
    ] = None,
) -> None:
    """Compare the simulator with queueing theory and published tables, one row each.

    Each figure of ours has an interval of 99.9 %, at most 1 % wide to each side (2 % at a load of 0.95 or more). Rows
    that cannot be compared say why. FILE holds {"entries": [{"id", "model", "parameters", "quantity", "value"}]}.
    """
    from sim.cli.commands.validate import Selected, validate_command

    selected = Selected(model or (), ids or (), file)
    raise typer.Exit(validate_command(selected, quick=quick, as_json=json, markdown_file=markdown, processes=jobs))
