"""The options of `sim live`, as the user types and reads them."""

from pathlib import Path
from typing import Annotated

import typer

from sim.cli.options.allowed import AllowCode
from sim.cli.options.out import Out, Overwrite, Plots, check_plots


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
    out: Out = None,
    overwrite: Overwrite = False,
    plots: Plots = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
    allow_code: AllowCode = False,
) -> None:
    """Play a scenario for real: worker processes, gRPC, a SQL registry and the same router.

    All its processes run on this machine, on loopback, and end with the command. The exit code is 1 if an expectation
    fails or, with --compare, if a figure is outside its range.
    """
    check_plots(plots, out)
    from sim.cli.process.extras import needing
    from sim.cli.run_selection import load_all
    from sim.study.selection import RunSelection

    selection = RunSelection(tuple(variant or ()), seed, 1)
    (file,) = load_all([scenario], selection, sets or (), (), allow_code=allow_code)
    with needing("live"):
        from sim.cli.commands.live import LiveOptions, live_command
    options = LiveOptions(registry, time_scale, record, out, overwrite, plots, compare, json)
    raise typer.Exit(live_command(file, selection, options))
