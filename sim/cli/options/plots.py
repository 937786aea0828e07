"""The option `--plots`, which several commands have."""

from pathlib import Path
from typing import Annotated

import typer

from sim.cli.process.exits import BadInput

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
