"""How many picks a second the real registry makes: SQLite and PostgreSQL, faithful and locked, 1 and 4 connections.

    python tests/benchmarks/pick_round_trips.py [--picks 1000] [--rounds 5] [--postgres URL]

The work: 4 idle replicas of one model, picked without being given back, from one process that keeps as many picks
under way as it has connections. SQLite has one connection whatever it is asked for: 4 is 4 picks that take turns. The
cells are measured in turn, round by round, and the medians are printed beside their ratio to the first of the row's
database, because machines are noisy. Without a URL, an embedded server is started.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from contextlib import ExitStack
from itertools import product
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from sim.live.registry.connection import connect
from sim.live.registry.embedded_postgres import embedded_postgres
from sim.live.runtime import AsyncioRuntime
from sim.routing.fleet import NodeFacts
from sim.routing.replica import ReplicaKey
from tests.choices import BEST

MODEL = "m"
REPLICAS = 4
WARM_UP_PICKS = 50


class Cell(NamedTuple):
    """One way to make the picks."""

    database: str
    pick: str
    connections: int


CELLS = [Cell(*cell) for cell in product(("sqlite", "postgresql"), ("read_committed", "locked"), (1, 4))]


async def picks_per_s(url: str, cell: Cell, picks: int) -> float:
    """Return the rate of so many picks."""
    async with connect(url, AsyncioRuntime(), pick=cell.pick, connections=cell.connections) as registry:
        await registry.reset()
        for n in range(REPLICAS):
            await registry.register_node(NodeFacts(f"n{n}"))
            await registry.publish(ReplicaKey(f"n{n}", MODEL, 0), f"n{n}:1", 0)

        async def pick(times: int) -> None:
            for _ in range(times):
                await registry.pick(MODEL, BEST)

        async def pick_side_by_side(times: int) -> None:
            await asyncio.gather(*[pick(times // cell.connections) for _ in range(cell.connections)])

        await pick_side_by_side(WARM_UP_PICKS)
        began = time.perf_counter()
        await pick_side_by_side(picks)
        return picks / (time.perf_counter() - began)


def table(rates: dict[Cell, list[float]]) -> Table:
    """Return the medians and their ratios."""
    printed = Table("database", "pick", "connections", "picks/s", "least to most", "ratio", title="Pick round trips")
    for cell, rate in rates.items():
        first = statistics.median(rates[Cell(cell.database, "read_committed", 1)])
        median = statistics.median(rate)
        printed.add_row(
            cell.database,
            cell.pick,
            str(cell.connections),
            f"{median:,.0f}",
            f"{min(rate):,.0f} to {max(rate):,.0f}",
            f"{median / first:.2f}",
        )
    return printed


def main() -> None:
    """Measure each cell in turn, for so many rounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picks", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--postgres", metavar="URL", help="a server of your own; the tables are emptied")
    options = parser.parse_args()
    rates: dict[Cell, list[float]] = {cell: [] for cell in CELLS}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        postgres = options.postgres or stack.enter_context(embedded_postgres())
        urls = {"sqlite": f"sqlite:///{folder}/registry.db", "postgresql": postgres}
        for _ in range(options.rounds):
            for cell in CELLS:
                rates[cell].append(asyncio.run(picks_per_s(urls[cell.database], cell, options.picks)))
    Console().print(table(rates))


if __name__ == "__main__":
    main()
