"""Where results go: options of the commands that run scenarios and keep what came of it."""

from pathlib import Path
from typing import Annotated

import typer

from sim.cli.process.exits import BadInput

Out = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Also write DIR/summary.json and, for each run, DIR/<scenario>/<variant>/seed-<n>/ with its tables "
        "(Parquet), metrics and plan. Files are replaced whole or not at all.",
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Let --out replace files in a folder that is not empty.")]
Plots = Annotated[
    bool,
    typer.Option(
        "--plots",
        help="Also draw pictures (SVG) into DIR: DIR/<scenario>/ gets latency and percentiles of all variants, and the "
        "folder of each variant's first seed gets share, in_flight, queues, probes, fairness and bursts, those that "
        "show anything. With several models they are about the one that most requests ask for.",
    ),
]


def check_plots(plots: bool, out: Path | None) -> None:
    """Raise BadInput for pictures that have no place to go."""
    if plots and out is None:
        raise BadInput("--plots draws into the folder of --out, and there is none; allowed: --out DIR --plots")
