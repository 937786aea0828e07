"""The commands and options of `sim`, as the user types and reads them. What they do is imported when it is needed."""

from pathlib import Path
from typing import Annotated

import typer

from sim import __version__
from sim.cli.group import Commands
from sim.cli.options.allowed import AllowCode
from sim.cli.options.check import HELP_END as CHECK_END
from sim.cli.options.check import check_policy
from sim.cli.options.compare import HELP_END as COMPARE_END
from sim.cli.options.compare import compare_variants_of
from sim.cli.options.explain import HELP_END as EXPLAIN_END
from sim.cli.options.explain import explain_run
from sim.cli.options.help import examples
from sim.cli.options.live import live_scenario
from sim.cli.options.mutants import HELP_END as MUTANTS_END
from sim.cli.options.mutants import hunt_mutants
from sim.cli.options.report import HELP_END as REPORT_END
from sim.cli.options.report import report_on_runs
from sim.cli.options.run import HELP_END as RUN_END
from sim.cli.options.run import run_scenarios
from sim.cli.options.validate import HELP_END as VALIDATE_END
from sim.cli.options.validate import validate_table
from sim.cli.process.output import emit

# Plain help and plain errors: they read the same on a terminal, in a pipe and in a log.
app = typer.Typer(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Simulate a distributed LLM-inference router, deterministically: which replica serves which request, and why.",
    epilog=examples("sim run scenarios/cache_pinning.yaml", "sim check ./my_picker.py:PowerOfTwo --allow-code"),
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
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


app.command("run", epilog=RUN_END, no_args_is_help=True)(run_scenarios)
app.command("compare", epilog=COMPARE_END, no_args_is_help=True)(compare_variants_of)
app.command("check", epilog=CHECK_END, no_args_is_help=True)(check_policy)
app.command("explain", epilog=EXPLAIN_END, no_args_is_help=True)(explain_run)
app.command("report", epilog=REPORT_END, no_args_is_help=True)(report_on_runs)

app.command("mutants", epilog=MUTANTS_END)(hunt_mutants)
app.command("validate", epilog=VALIDATE_END)(validate_table)

app.command(
    "live",
    epilog=examples(
        "sim live scenarios/cache_pinning.yaml --time-scale 0.1",
        "sim live scenarios/burst_herd.yaml --registry postgres --time-scale 0.1 --compare",
    ),
    no_args_is_help=True,
)(live_scenario)


@app.command("calibrate", epilog=examples("sim calibrate", "sim calibrate --registry postgres --out machine.yaml"))
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


@app.command(
    "replay",
    epilog=examples(
        "sim live scenarios/cache_pinning.yaml --variant fixed --time-scale 0.1 --record run.rec", "sim replay run.rec"
    ),
    no_args_is_help=True,
)
def replay_recording(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `sim live --record` has written.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
    allow_code: AllowCode = False,
) -> None:
    """Replay a recorded live run through the routing code, and check that it decides the same.

    Arrivals, answers and time limits come from the recording, in its order. The router's decisions are compared request
    by request. The exit code is 1 if anything differs.
    """
    from sim.cli.commands.replay import replay_command

    raise typer.Exit(replay_command(file, as_json=json, allow_code=allow_code))


@app.command("new", epilog=examples("sim new my_router && cd my_router && pytest"), no_args_is_help=True)
def new_starter(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or an empty one.")],
) -> None:
    """Make a starter for tests of your own router.

    It has a scenario, a picker, a test for pytest, and a CI job that comments what a pull request changes. It passes
    as it is, and fails when its picker is made unfair.
    """
    from sim.cli.commands.new import new_command

    raise typer.Exit(new_command(folder))


@app.command("list", epilog=examples("sim list", "sim list --regressions"))
def list_scenarios(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="Where to look. [default: scenarios; the shipped ones with --regressions]"),
    ] = None,
    regressions: Annotated[
        bool, typer.Option("--regressions", help="List the known regressions, with symptom, metric and source.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON list instead of text.")] = False,
    allow_code: AllowCode = False,
) -> None:
    """List the scenario files below a folder, with their variants."""
    if regressions:
        from sim.cli.commands.list_regressions import list_regressions_command

        raise typer.Exit(list_regressions_command(folder, as_json=json, allow_code=allow_code))
    from sim.cli.commands.list import list_command

    raise typer.Exit(list_command(folder or Path("scenarios"), as_json=json, allow_code=allow_code))


@app.command("schema", epilog=examples("sim schema > scenario.schema.json", "sim schema --protocol"))
def print_schema(
    protocol: Annotated[
        bool, typer.Option("--protocol", help="Print that of the lines between sim and a program that picks.")
    ] = False,
) -> None:
    """Print the JSON Schema of scenario files, for editors that complete and check YAML."""
    from json import dumps

    if protocol:
        from sim.programs.schema import protocol_schema as schema
    else:
        from sim.scenario import json_schema as schema

    emit(dumps(schema(), indent=2) + "\n")


@app.command(
    "check-protocol",
    epilog=examples("sim check-protocol ./my_picker", "sim check-protocol ./my_picker --parameters '{\"d\": 3}'"),
    no_args_is_help=True,
)
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
