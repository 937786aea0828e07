"""The options of `sim run`, as the user types and reads them."""

from pathlib import Path
from typing import Annotated

import typer

from sim.cli.options.allowed import AllowCode, AllowDirs
from sim.cli.options.help import examples
from sim.cli.options.out import Out, Overwrite, Plots, check_plots

HELP_END = (
    examples(
        "sim run scenarios/probe_stall.yaml",
        "sim run scenarios --variant fixed --reps 20 -j 2",
        "sim run scenarios/probe_stall.yaml --set router.probe.ttl=5s --out runs/short_ttl",
        "sim run scenarios/cache_pinning.yaml --out runs/pinning --plots",
    )
    + """
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
)


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
    out: Out = None,
    overwrite: Overwrite = False,
    plots: Plots = False,
    json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON document instead of tables; of several scenarios, a list."),
    ] = False,
    allow_dir: AllowDirs = None,
    allow_code: AllowCode = False,
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
    check_plots(plots, out)
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
            files,
            selection,
            out=out,
            overwrite=overwrite,
            plots=plots,
            as_json=json,
            processes=jobs,
            twice=check,
            reports=reports,
        )
    )
