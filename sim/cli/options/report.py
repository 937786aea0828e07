"""The options of `sim report`, as the user types and reads them."""

from pathlib import Path
from typing import Annotated

import typer

from sim.cli.options.allowed import AllowCode, AllowDirs
from sim.cli.options.help import examples

HELP_END = (
    examples(
        "sim report scenarios/cache_pinning.yaml --html pinning.html",
        "sim run scenarios/burst_herd.yaml --reps 20 --out runs/herd",
        "sim report runs/herd --html herd.html",
        "sim report runs/herd/burst_herd/fixed/seed-1 --trace fixed.json.gz",
    )
    + """
\b
Exit codes:
    0  the report was written, whatever the verdicts in it
    2  the command line, a folder or a scenario is wrong; nothing was written
    4  the report could not be written, or sim is at fault
  130  Ctrl-C; 143: a TERM signal
"""
)


def report_on_runs(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN",
            help="Folders that sim run --out has written, or single runs in them; or scenario files, which are run.",
        ),
    ],
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write one page to look at in a browser; it needs no network."),
    ] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="Write what belongs in a pull request.")] = None,
    trace: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a trace for ui.perfetto.dev or chrome://tracing; compressed if the name ends in .gz.",
        ),
    ] = None,
    allow_dir: AllowDirs = None,
    allow_code: AllowCode = False,
) -> None:
    """Write runs in a form to look at.

    The page has the verdicts, the variants side by side, plots, and a timeline in which each request tells its way and
    each pick what it chose from. The trace shows nodes, replicas and frontends, each request's way through them, and
    what befell them.
    """
    from sim.cli.commands.report import ReportFiles, report_command

    raise typer.Exit(report_command(runs, ReportFiles(html, markdown, trace), allow_dir or (), allow_code=allow_code))
