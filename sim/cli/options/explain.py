"""The options of `sim explain`, as the user types and reads them."""

from pathlib import Path
from typing import Annotated

import typer

from sim.cli.options.allowed import AllowCode, AllowDirs
from sim.cli.options.help import examples
from sim.cli.process.exits import BadInput

HELP_END = (
    examples(
        "sim explain scenarios/cache_pinning.yaml --variant fixed --request 14",
        "sim explain scenarios/probe_stall.yaml --variant uncached --row dgx-spark1#0",
        "sim explain scenarios/cache_pinning.yaml --first-difference pinned fixed",
        "sim explain runs/cache_pinning/fixed/seed-1 --request 14",
    )
    + """
\b
Exit codes:
    0  it was explained
    2  the command line, the scenario or a folder is wrong, or there is no such request or row
    3  a saved run comes out otherwise now: the code has changed since
    4  sim is at fault
  130  Ctrl-C; 143: a TERM signal; 141: the reader of the output left
"""
)


def explain_run(
    run: Annotated[
        Path | None,
        typer.Argument(metavar="RUN", help="A scenario file, or a folder that sim run --out has written."),
    ] = None,
    request: Annotated[
        int | None, typer.Option(metavar="ID", help="Tell the way of this request, and why it went where it did.")
    ] = None,
    row: Annotated[
        str | None, typer.Option(metavar="LABEL", help="Tell why the rows of this replica, node#index, were deleted.")
    ] = None,
    first_difference: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="A B", help="Tell where two variants of RUN part; without RUN, two folders of one run."),
    ] = None,
    variant: Annotated[str | None, typer.Option(metavar="NAME", help="The variant. [default: the only one]")] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**64 - 1, metavar="N", help="The seed. [default: the only one, or its own]"),
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override one value of a scenario file; repeatable."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
    allow_dir: AllowDirs = None,
    allow_code: AllowCode = False,
) -> None:
    """Tell why a run went as it did: why this replica, why this row was deleted, where two runs part.

    The run is made again with a closer observer. It shows every replica that a pick could take, with its figures as the
    policy saw them, then the probes, locks and queues on the way.
    """
    if sum(question is not None for question in (request, row, first_difference)) != 1:
        raise BadInput(
            "found no question, or several; allowed: one of --request ID, --row LABEL, --first-difference A B"
        )
    from sim.cli.chosen_run import ChosenRun
    from sim.cli.commands import explain

    chosen = ChosenRun(run, variant, seed, tuple(sets or ()), tuple(allow_dir or ()), allow_code)
    if first_difference is not None:
        raise typer.Exit(explain.explain_difference_command(chosen, *first_difference, as_json=json))
    if row is not None:
        raise typer.Exit(explain.explain_row_command(chosen, row, as_json=json))
    if request is not None:
        raise typer.Exit(explain.explain_request_command(chosen, request, as_json=json))
