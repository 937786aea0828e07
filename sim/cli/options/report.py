"""The options of `sim report`, as the user types and reads them."""

from pathlib import Path
from typing import Annotated

import typer

from sim.cli.options.help import examples

HELP_END = (
    examples(
        "sim run scenarios/cache_pinning.yaml --out runs/pinning",
        "sim report runs/pinning --trace pinning.json.gz",
    )
    + """
\b
Exit codes:
    0  the report was written
    2  the command line or a folder is wrong; nothing was written
    4  the report could not be written, or sim is at fault
  130  Ctrl-C; 143: a TERM signal
"""
)


def report_on_runs(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN", help="Folders that sim run --out has written, or single runs in them."),
    ],
    trace: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a trace for ui.perfetto.dev or chrome://tracing; compressed if the name ends in .gz.",
        ),
    ] = None,
) -> None:
    """Write saved runs in a form to look at.

    The trace shows nodes, replicas and frontends, each request's way through them, and what befell them.
    """
    from sim.cli.commands.report import report_command

    raise typer.Exit(report_command(runs, trace=trace))
