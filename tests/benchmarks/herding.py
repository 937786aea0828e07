"""How unevenly a burst of picks falls on idle replicas: on a real PostgreSQL, and in the simulated registry beside it.

    python tests/benchmarks/herding.py [--replicas 4] [--picks 32] [--seeds 3] [--postgres URL]

A cell is the worst replica's number of picks divided by its fair share, for picks that arrive uniformly over the
spread; one number for each seed, whose arrivals both registries see alike. The simulated transaction takes as long as
the median pick measured on that server with nobody else there, which is printed. Without a URL, an embedded server is
started.
"""

import argparse
import asyncio
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager

import numpy as np
from rich.console import Console
from rich.table import Table

from sim.live.registry.connection import connect
from sim.live.registry.embedded_postgres import embedded_postgres
from sim.live.registry.load_jobs import SqlLoadJobs
from sim.live.runtime import AsyncioRuntime
from sim.routing.fleet import NodeFacts, RowState
from sim.routing.replica import Replica, ReplicaKey
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.registry.database import SimulatedDatabase
from sim.simulated.registry.pick_modes import PickModeName, hold_for, new_pick_mode
from sim.simulated.registry.replica_table import ReplicaTable
from sim.simulated.registry.rows import registered
from tests.choices import BEST

MODEL = "m"
MS = 1_000_000
SPREADS_NS = (0, 50 * MS, 500 * MS, 2000 * MS)
MODES: tuple[PickModeName, ...] = ("read_committed", "locked")
FAR_NS = 10**18
TIMED_PICKS = 200


class Measurement:
    """Bursts of `picks` picks over `replicas` idle replicas."""

    def __init__(self, postgres: str, replicas: int, picks: int) -> None:
        self._postgres = postgres
        self._replicas = replicas
        self._picks = picks

    async def transaction_ns(self) -> int:
        """Return the median time of a faithful pick that meets nobody."""
        async with self._idle("read_committed") as registry:
            times_ns = []
            for _ in range(TIMED_PICKS):
                began_ns = time.perf_counter_ns()
                await registry.pick(MODEL, BEST)
                times_ns.append(time.perf_counter_ns() - began_ns)
        return int(statistics.median(times_ns))

    async def live(self, mode: PickModeName, arrivals_ns: Sequence[int]) -> float:
        """Return the worst share on the server."""
        runtime = AsyncioRuntime()
        async with self._idle(mode) as registry:

            async def pick(at_ns: int) -> Replica | None:
                await runtime.sleep(at_ns)
                return await registry.pick(MODEL, BEST)

            return self._worst_share(await asyncio.gather(*[pick(at_ns) for at_ns in arrivals_ns]))

    def simulated(self, mode: PickModeName, arrivals_ns: Sequence[int], transaction_ns: int) -> float:
        """Return the worst share in the simulated registry."""
        runtime = SimulatedRuntime()
        names = [f"n{n}" for n in range(self._replicas)]
        nodes = [registered(NodeFacts(name), FifoQueue(runtime, 1), 0) for name in names]
        replicas = ReplicaTable(runtime, nodes)
        for name in names:
            key, lock = ReplicaKey(name, MODEL, 0), FifoQueue(runtime, 1)
            replicas.insert(key, f"{name}:1", 0, lock, 0, RowState.LOADED)
        database = SimulatedDatabase(runtime, replicas, transaction_ns)
        pick_mode = new_pick_mode(mode, database, hold_for(runtime, transaction_ns), _ignore)
        picked: list[Replica | None] = []

        async def pick(at_ns: int) -> None:
            await runtime.sleep(at_ns)
            picked.append(await pick_mode.pick(MODEL, BEST, runtime))

        for at_ns in arrivals_ns:
            runtime.spawn(pick(at_ns), "pick")
        runtime.run_tasks(FAR_NS)
        return self._worst_share(picked)

    @asynccontextmanager
    async def _idle(self, mode: str) -> AsyncIterator[SqlLoadJobs]:
        async with connect(self._postgres, AsyncioRuntime(), pick=mode, connections=self._picks) as registry:
            await registry.reset()
            for n in range(self._replicas):
                await registry.register_node(NodeFacts(f"n{n}"))
                await registry.publish(ReplicaKey(f"n{n}", MODEL, 0), f"n{n}:1", 0)
            # Every connection makes a pick of another model: opened, and its statements prepared.
            await asyncio.gather(*[registry.pick("none", BEST) for _ in range(self._picks)])
            yield registry

    def _worst_share(self, picked: Sequence[Replica | None]) -> float:
        counts = Counter(replica.key for replica in picked if replica is not None)
        return max(counts.values()) * self._replicas / self._picks


def _ignore(wait_ns: int) -> None:
    pass


def arrivals_ns(spread_ns: int, picks: int, seed: int) -> list[int]:
    """Return so many arrival times, uniform over the spread."""
    drawn = np.random.default_rng([seed, spread_ns]).integers(0, spread_ns, picks, endpoint=True)
    return [int(at_ns) for at_ns in drawn]


def measure(measurement: Measurement, picks: int, seeds: int) -> Table:
    """Return the table of all cells."""
    transaction_ns = asyncio.run(measurement.transaction_ns())
    title = f"Worst replica's picks / fair share; a pick alone takes {transaction_ns / MS:.2f} ms"
    printed = Table("pick", "registry", *[f"{spread_ns // MS} ms" for spread_ns in SPREADS_NS], title=title)
    for mode in MODES:
        live, simulated = [], []
        for spread_ns in SPREADS_NS:
            bursts = [arrivals_ns(spread_ns, picks, seed) for seed in range(seeds)]
            live.append([asyncio.run(measurement.live(mode, burst)) for burst in bursts])
            simulated.append([measurement.simulated(mode, burst, transaction_ns) for burst in bursts])
        printed.add_row(mode, "PostgreSQL", *map(_cell, live))
        printed.add_row("", "simulated", *map(_cell, simulated))
    return printed


def _cell(shares: list[float]) -> str:
    return " ".join(f"{share:.1f}" for share in shares)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicas", type=int, default=4)
    parser.add_argument("--picks", type=int, default=32)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--postgres", metavar="URL", help="a server of your own; the tables are emptied")
    options = parser.parse_args()
    with ExitStack() as stack:
        postgres = options.postgres or stack.enter_context(embedded_postgres())
        measurement = Measurement(postgres, options.replicas, options.picks)
        Console().print(measure(measurement, options.picks, options.seeds))


if __name__ == "__main__":
    main()
