"""The options of `sim compare`, as the user types and reads them."""

from pathlib import Path
from typing import Annotated

import typer

from sim.cli.options.allowed import AllowCode, AllowDirs
from sim.cli.options.help import examples
from sim.cli.process.exits import BadInput

HELP_END = (
    examples(
        "sim compare scenarios/cache_pinning.yaml --a pinned --b fixed",
        "sim compare scenarios/burst_herd.yaml --metric latency.p99_s --precision 5%",
        "sim compare runs/main runs/mine --markdown drift.md --fail-on-worse",
    )
    + """
\b
Exit codes:
    0  the variants or folders were compared, whatever came of it
    1  with --fail-on-worse: a variant is worse than the base, or the new folder than the base
    2  the command line, the scenario or a folder is wrong; nothing ran
    4  a process was killed, or sim is at fault
    5  every figure is 0 or absent: nothing was compared
  130  Ctrl-C; 143: a TERM signal; 141: the reader of the output left
"""
)

_OF_RUNS = ("a", "b", "reps", "precision", "max_reps", "seed", "sets", "plot", "allow_dir", "allow_code", "jobs")
"""The options that say what to run, how, or how to draw it."""


def part(written: str | float) -> float:
    """Return a part of a whole, written `2%` or `0.02`; a default is one already."""
    number, sign, rest = str(written).strip().partition("%")
    try:
        value = float(number) / (100 if sign else 1)
    except ValueError:
        value = -1
    if rest or not 0 <= value <= 1 or (value == 1 and not sign):
        raise typer.BadParameter(f"found {str(written)!r}; allowed: a part such as 2% or 0.02, up to 100%")
    return value


def compare_variants_of(
    context: typer.Context,
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="SCENARIO | BASE_DIR NEW_DIR", help="A scenario file, or two folders of sim run --out."),
    ],
    a: Annotated[
        str | None, typer.Option("--a", metavar="NAME", help="The base. [default: the first variant, if there are two]")
    ] = None,
    b: Annotated[
        list[str] | None,
        typer.Option(
            "--b", metavar="NAME", help="Compare this variant with it; repeat it for more. [default: all others]"
        ),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Compare this metric; repeat it for more. [default: what became of the requests, latency, fairness, "
            "and what the router got wrong]",
        ),
    ] = None,
    reps: Annotated[
        int, typer.Option(min=2, max=10_000, metavar="R", help="Run R seeds: the first, the next, ...")
    ] = 20,
    precision: Annotated[
        float | None,
        typer.Option(
            parser=part,
            metavar="PART",
            help="Run R more seeds, and again, until half of every interval is within this part of the base, as 2%.",
        ),
    ] = None,
    max_reps: Annotated[
        int, typer.Option(min=2, max=100_000, metavar="N", help="With --precision: end after N seeds in any case.")
    ] = 1000,
    confidence: Annotated[
        float,
        typer.Option(parser=part, metavar="PART", show_default="95%", help="How sure all intervals together are."),
    ] = 0.95,
    margin: Annotated[
        float,
        typer.Option(
            parser=part,
            metavar="PART",
            show_default="1%",
            help="Take a difference below this part of the base for none.",
        ),
    ] = 0.01,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**64 - 1, metavar="N", help="First seed. [default: the base's own]")
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override one value in every variant; repeatable."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")] = False,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write what belongs in a pull request, as Markdown.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also draw the differences with their intervals (SVG).")
    ] = None,
    fail_on_worse: Annotated[
        bool, typer.Option("--fail-on-worse", help="Exit with 1 if a variant is worse than the base in any metric.")
    ] = False,
    allow_dir: AllowDirs = None,
    allow_code: AllowCode = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", min=1, max=256, metavar="N", help="Run up to N seeds at a time. [default: all cores]"
        ),
    ] = None,
) -> None:
    """Tell which variants of a scenario are better than its base, by how much, and how sure that is.

    All variants see the same requests on each seed, and what is judged is the difference on each seed. A verdict is
    better or worse by the metric's own direction, same, or unclear, with the number of seeds that may tell.

    Of two result folders, as from two commits, it tells which metrics changed beyond noise, which expectations changed
    sides, and where the runs first decided otherwise, with what each of the two saw.
    """
    from sim.cli.process.report_files import check_report_file

    check_report_file("--markdown", markdown)
    check_report_file("--plot", plot)
    if plot is not None and plot.suffix != ".svg":
        raise BadInput(f"--plot: found {plot}; allowed: a file whose name ends in .svg")
    if len(paths) == 2 and any(path.is_dir() for path in paths):
        _refuse_options_of_runs(context)
        from sim.cli.commands.compare_folders import FolderOptions, compare_folders

        of_folders = FolderOptions(tuple(metric or ()), confidence, margin, markdown)
        base, new = paths
        raise typer.Exit(compare_folders(base, new, of_folders, as_json=json, fail_on_worse=fail_on_worse))
    if len(paths) != 1 or paths[0].is_dir():
        count = "one folder" if len(paths) == 1 else f"{len(paths)} paths"
        raise BadInput(f"found {count}; allowed: one scenario file, or two folders")
    from sim.cli.run_selection import load_all
    from sim.study.selection import RunSelection

    (file,) = load_all(paths, RunSelection((), seed, 1), sets or (), allow_dir or (), allow_code=allow_code)
    # Imported after the scenario is read, so that a mistake in it is reported without this wait.
    from sim.cli.commands.compare import CompareOptions, compare_command

    options = CompareOptions(a, b, metric, reps, precision, max_reps, seed, confidence, margin, markdown, plot)
    raise typer.Exit(compare_command(file, options, as_json=json, fail_on_worse=fail_on_worse, processes=jobs))


def _refuse_options_of_runs(context: typer.Context) -> None:
    """Raise BadInput for those options that were given, where nothing is run."""
    given = [one.opts[0] for one in context.command.params if one.name in _OF_RUNS and _was_typed(context, one.name)]
    if given:
        verb = "is" if len(given) == 1 else "are"
        raise BadInput(
            f"{', '.join(given)} {verb} for the variants of a scenario; two folders are compared as they are"
        )


def _was_typed(context: typer.Context, parameter: str) -> bool:
    source = context.get_parameter_source(parameter)
    return source is not None and source.name == "COMMANDLINE"
