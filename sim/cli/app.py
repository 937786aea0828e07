"""The commands and options of `sim`, as the user types and reads them. What they do is imported when it is needed."""

from pathlib import Path
from typing import Annotated

import typer

from sim import __version__
from sim.cli.check_options import EXIT_CODES as CHECK_EXIT_CODES
from sim.cli.check_options import check_policy
from sim.cli.compare_options import EXIT_CODES as COMPARE_EXIT_CODES
from sim.cli.compare_options import compare_variants_of
from sim.cli.group import Commands
from sim.cli.mutant_options import EXIT_CODES as MUTANTS_EXIT_CODES
from sim.cli.mutant_options import hunt_mutants
from sim.cli.process.output import emit
from sim.cli.validate_options import EXIT_CODES as VALIDATE_EXIT_CODES
from sim.cli.validate_options import validate_table

# Plain help and plain errors: they read the same on a terminal, in a pipe and in a log.
app = typer.Typer(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
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
    1  an expectation failed, or a figure differs from the baseline
    2  the command line or a scenario is wrong; nothing ran, nothing was written
    3  with --check: a run decided otherwise the second time
    4  results could not be written, a process was killed, or sim is at fault
    5  nothing was run or checked
  130  Ctrl-C; 143: a TERM signal; 141: the reader of the output left
"""

_OUT_HELP = (
    "Also write DIR/summary.json and, for each run, DIR/<scenario>/<variant>/seed-<n>/ with its tables (Parquet), "
    "figures and plan. Files are replaced whole or not at all."
)
_OVERWRITE_HELP = "Let --out replace files in a folder that is not empty."

_ALLOW_CODE_HELP = "Let the scenario's policy be code of your own: module:name, ./file.py:name or exec:./program."


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
    scenarios: Annotated[
        list[Path], typer.Argument(metavar="SCENARIO", help="Scenario files (YAML), or folders of them.")
    ],
    variant: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Run only this variant; repeat it for more. [default: all]"),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=2**64 - 1,
            metavar="N",
            help="First seed; the only one without --reps. [default: the scenario's own]",
        ),
    ] = None,
    reps: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=10_000,
            metavar="R",
            help="Run R seeds: the first, the next, ... Expectations hold for each, or over all if they say so. "
            "[default: as many as the expectations say; one with --seed]",
        ),
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Override one value in every variant, such as router.probe.ttl=5s or nodes.0.speed=0.5; repeatable.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help=_OUT_HELP)] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help=_OVERWRITE_HELP)] = False,
    json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON document instead of tables; of several scenarios, a list."),
    ] = False,
    allow_dir: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="Look for trace files here too, not only beside the scenario; repeatable."),
    ] = None,
    allow_code: Annotated[bool, typer.Option("--allow-code", help=_ALLOW_CODE_HELP)] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            min=1,
            max=256,
            metavar="N",
            help="Run up to N seeds at a time. [default: all cores if expectations are over seeds, else 1]",
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Do each run twice, and stop at the first decision that is not the same.")
    ] = False,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write JUnit XML: a test for each expectation and run.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write what belongs in a pull request, as Markdown.")
    ] = None,
    save_baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the chief figures, for --baseline and for git.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Fail if a figure has changed beyond noise since it was saved.")
    ] = None,
) -> None:
    """Run scenarios and check what they expect.

    Every variant of every SCENARIO is run on the same requests and shown side by side. Results go to standard output,
    progress and messages to standard error.
    """
    from sim.cli.run_selection import load_all
    from sim.cli.scenario_files import expanded
    from sim.study.selection import RunSelection

    selection = RunSelection(tuple(variant or ()), seed, reps)
    files = load_all(expanded(scenarios), selection, sets or (), allow_dir or (), allow_code=allow_code)
    # Imported after the scenarios are read, so that a mistake in them is reported without this wait.
    from sim.cli.commands.run import run_command
    from sim.cli.commands.run_reports import RunReports

    reports = RunReports.checked(files, junit, markdown, save_baseline, baseline)
    raise typer.Exit(
        run_command(
            files, selection, out=out, overwrite=overwrite, as_json=json, processes=jobs, twice=check, reports=reports
        )
    )


app.command("compare", epilog=COMPARE_EXIT_CODES, no_args_is_help=True)(compare_variants_of)
app.command("check", epilog=CHECK_EXIT_CODES, no_args_is_help=True)(check_policy)

app.command("mutants", epilog=MUTANTS_EXIT_CODES)(hunt_mutants)
app.command("validate", epilog=VALIDATE_EXIT_CODES)(validate_table)


@app.command("live", no_args_is_help=True)
def live_scenario(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="A scenario file (YAML).")],
    variant: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Play only this variant; repeat it for more. [default: all]"),
    ] = None,
    registry: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="The registry: sqlite, postgres (a server of its own), or a URL. Its tables are emptied.",
        ),
    ] = "sqlite",
    time_scale: Annotated[
        float,
        typer.Option(min=0.001, max=1000, metavar="X", help="Real seconds for each second of the scenario."),
    ] = 1.0,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**64 - 1, metavar="N", help="Seed. [default: the scenario's own]")
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override one value in every variant; repeatable."),
    ] = None,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Record one variant's inputs, for `sim replay`.")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Show live and simulated figures side by side, with a verdict on each.")
    ] = False,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help=_OUT_HELP)] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help=_OVERWRITE_HELP)] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
    allow_code: Annotated[bool, typer.Option("--allow-code", help=_ALLOW_CODE_HELP)] = False,
) -> None:
    """Play a scenario for real: worker processes, gRPC, a SQL registry and the same router.

    All its processes run on this machine, on loopback, and end with the command.
    """
    from sim.cli.process.extras import needing
    from sim.cli.run_selection import load_all
    from sim.study.selection import RunSelection

    selection = RunSelection(tuple(variant or ()), seed, 1)
    (file,) = load_all([scenario], selection, sets or (), (), allow_code=allow_code)
    with needing("live"):
        from sim.cli.commands.live import LiveOptions, live_command
    options = LiveOptions(registry, time_scale, record, out, overwrite, compare, json)
    raise typer.Exit(live_command(file, selection, options))


@app.command("calibrate")
def calibrate_machine(
    registry: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="The registry: sqlite (a temporary file), postgres (a server of its own), or a URL; it may be in use.",
        ),
    ] = "sqlite",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the piece of YAML to a new file.")
    ] = None,
    calls: Annotated[
        int, typer.Option(metavar="N", min=1, help="Calls of each kind to measure alone; other things less often.")
    ] = 100,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of YAML.")] = False,
) -> None:
    """Measure what a scenario assumes of a machine, and print it as YAML that a scenario file can hold.

    It measures the time of a registry transaction, the latency of a call between processes of this machine, and the
    time that a worker process takes to start.
    """
    from sim.cli.process.extras import needing

    with needing("live"):
        from sim.cli.commands.calibrate import calibrate_command
    raise typer.Exit(calibrate_command(registry, out, calls, as_json=json))


@app.command("replay", no_args_is_help=True)
def replay_recording(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `sim live --record` has written.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
    allow_code: Annotated[bool, typer.Option("--allow-code", help=_ALLOW_CODE_HELP)] = False,
) -> None:
    """Replay a recorded live run through the routing code, and check that it decides the same.

    Arrivals, answers and time limits come from the recording, in its order. The router's decisions are compared request
    by request. The exit code is 1 if anything differs.
    """
    from sim.cli.commands.replay import replay_command

    raise typer.Exit(replay_command(file, as_json=json, allow_code=allow_code))


@app.command("new", no_args_is_help=True)
def new_starter(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or an empty one.")],
) -> None:
    """Make a starter for tests of your own router.

    It has a scenario, a picker, a test for pytest, and a CI job that comments what a pull request changes. It passes
    as it is, and fails when its picker is made unfair.
    """
    from sim.cli.commands.new import new_command

    raise typer.Exit(new_command(folder))


@app.command("list")
def list_scenarios(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="Where to look. [default: scenarios; the shipped ones with --regressions]"),
    ] = None,
    regressions: Annotated[
        bool, typer.Option("--regressions", help="List the known regressions, with symptom, metric and source.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON list instead of text.")] = False,
    allow_code: Annotated[bool, typer.Option("--allow-code", help=_ALLOW_CODE_HELP)] = False,
) -> None:
    """List the scenario files below a folder, with their variants."""
    if regressions:
        from sim.cli.commands.list_regressions import list_regressions_command

        raise typer.Exit(list_regressions_command(folder, as_json=json, allow_code=allow_code))
    from sim.cli.commands.list import list_command

    raise typer.Exit(list_command(folder or Path("scenarios"), as_json=json, allow_code=allow_code))


@app.command("schema")
def print_schema(
    protocol: Annotated[
        bool, typer.Option("--protocol", help="That of the lines between sim and a program that picks.")
    ] = False,
) -> None:
    """Print the JSON Schema of scenario files, for editors that complete and check YAML."""
    from json import dumps

    if protocol:
        from sim.programs.schema import protocol_schema as schema
    else:
        from sim.scenario import json_schema as schema

    emit(dumps(schema(), indent=2) + "\n")


@app.command("check-protocol", no_args_is_help=True)
def check_protocol_of_program(
    program: Annotated[Path, typer.Argument(metavar="PROGRAM", help="A program that picks, as in exec:PROGRAM.")],
    parameters: Annotated[
        str, typer.Option(metavar="JSON", help="Its own keys, as a scenario gives them: '{\"d\": 3}'.")
    ] = "{}",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
) -> None:
    """Start a program that picks, and check that it keeps to the protocol.

    It runs PROGRAM, several times, on fleets that are made up. The exit code is 1 if it breaks a demand.
    """
    from sim.cli.commands.check_protocol import check_protocol_command

    raise typer.Exit(check_protocol_command(program, parameters, as_json=json))
