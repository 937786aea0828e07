"""The commands and options of `sim`, as the user types and reads them. What they do is imported when it is needed."""

from pathlib import Path
from typing import Annotated

import typer

from sim import __version__
from sim.cli.output import emit

# Plain help and plain errors: they read the same on a terminal, in a pipe and in a log.
app = typer.Typer(
    help="Simulate a distributed LLM-inference router, deterministically: which replica serves which request, and why.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

_EXIT_CODES = """
\b
Exit codes:
    0  everything ran and every expectation that could be checked held
    1  an expectation failed
    2  the command line or a scenario is wrong; nothing ran, nothing was written
    4  results could not be written, or sim itself is at fault
    5  nothing was run or checked
  130  Ctrl-C; 143: a TERM signal; 141: the reader of the output left
"""

_OUT_HELP = (
    "Also write DIR/summary.json and, for each run, DIR/<scenario>/<variant>/seed-<n>/ with its tables (Parquet), "
    "figures and plan. Files are replaced whole or not at all."
)


def _show_version(wanted: bool) -> None:
    if wanted:
        emit(f"sim {__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@app.command("run", epilog=_EXIT_CODES, no_args_is_help=True)
def run_scenarios(
    scenarios: Annotated[list[Path], typer.Argument(metavar="SCENARIO", help="Scenario files (YAML).")],
    variant: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Run only this variant; repeat it for more. [default: all]"),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**64 - 1, metavar="N", help="First seed. [default: the scenario's own]"),
    ] = None,
    reps: Annotated[
        int, typer.Option(min=1, metavar="R", help="Run R seeds: the first, the next, ... Expectations hold for each.")
    ] = 1,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Override one value in every variant, such as router.probe.ttl=5s or nodes.0.speed=0.5; repeatable.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help=_OUT_HELP)] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Let --out replace files in a folder that is not empty.")
    ] = False,
    json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON document instead of tables; of several scenarios, a list."),
    ] = False,
    allow_dir: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="Look for trace files here too, not only beside the scenario; repeatable."),
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, max=256, metavar="N", help="Run up to N seeds at a time.")
    ] = 1,
) -> None:
    """Run scenarios and check what they expect.

    Every variant of every SCENARIO is run on the same requests and shown side by side. Results go to standard output,
    progress and messages to standard error.
    """
    from sim.cli.choice import Choice, load_all

    choice = Choice(tuple(variant or ()), seed, reps)
    files = load_all(scenarios, choice, sets or (), allow_dir or ())
    # After the scenarios, so that a mistake in them is told without waiting for this import.
    from sim.cli.run_command import run_command

    raise typer.Exit(run_command(files, choice, out=out, overwrite=overwrite, as_json=json, processes=jobs))


@app.command("list")
def list_scenarios(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to look.")] = Path("scenarios"),
) -> None:
    """List the scenario files below a folder, with their variants."""
    from sim.cli.list_command import list_command

    raise typer.Exit(list_command(folder))


@app.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of scenario files, for editors that complete and check YAML."""
    from json import dumps

    from sim.scenario import json_schema

    emit(dumps(json_schema(), indent=2) + "\n")
