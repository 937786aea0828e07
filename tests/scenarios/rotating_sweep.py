"""Write docs/explanation/rotating-cache.md: `python -m tests.scenarios.rotating_sweep`.

It varies the scenario of that name, which takes about two minutes of processor time. What it says is dated.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean

from sim import load, run
from sim.report.ci.markdown import code, table
from tests.scenarios.shipped import FOLDER

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "rotating-cache.md"
ADVICE = Path(__file__).with_name("rotating_advice.md")
SEEDS = range(1, 6)
FRONTENDS = (1, 2, 4, 8)
REFRESHES = ("500ms", "2s", "5s")
TRANSACTIONS = ("2ms", "50ms")
LISTS = ("snapshot", "own_sends", "own_in_flight", "rotate")


def figures(variant: str, *sets: str) -> tuple[float, float]:
    """Return the mean latency in seconds and the number of transactions, each as the mean over the seeds."""
    file = load(FOLDER / "rotating_cache.yaml", sets)
    metrics = [run(file, variant, seed).metrics for seed in SEEDS]
    return fmean(one["latency.mean_s"] for one in metrics), fmean(one["registry.transactions"] for one in metrics)


def cells(variant: str, *sets: str) -> list[str]:
    """Return the figures as a table shows them."""
    latency_s, transactions = figures(variant, *sets)
    return [f"{latency_s:.2f}", f"{transactions:.0f}"]


def fresh(transaction: str) -> Iterator[list[str]]:
    """Yield a row for each number of frontends that make a transaction for each pick."""
    for count in FRONTENDS:
        yield [str(count), *cells("fixed", f"frontends.count={count}", f"registry.transaction={transaction}")]


def listed() -> Iterator[list[str]]:
    """Yield a row for each number of frontends and each time between two readings: a latency for each kind of list."""
    for count in FRONTENDS:
        for refresh in REFRESHES:
            # Both keys, because `--set` changes every variant: one without a list would get a `refresh` alone.
            sets = [f"frontends.count={count}", f"router.replica_list.refresh={refresh}"]
            row = [figures(name, *sets, f"router.replica_list.counts={name}") for name in LISTS]
            yield [str(count), refresh, *(f"{latency_s:.2f}" for latency_s, _ in row), f"{row[-1][1]:.0f}"]


def page(today: str) -> str:
    """Return the whole page; it takes minutes."""
    per_pick = "\n\n".join(
        f"A transaction takes {transaction}:\n\n{table(['frontends', 'mean s', 'transactions'], fresh(transaction))}"
        for transaction in TRANSACTIONS
    )
    lists = table(["frontends", "read every", *map(code, LISTS), f"transactions ({code(LISTS[-1])})"], listed())
    return f"""# Picking from a list: when it pays

The load of [scenarios/rotating_cache.yaml](../../scenarios/rotating_cache.yaml): eight replicas, 5 requests per second
of 1 s each in the mean, 5 minutes; here with other numbers of frontends and other times between two readings. Each
figure is the mean over {len(SEEDS)} seeds, without an interval. `python -m tests.scenarios.rotating_sweep` measured
them on {today}.

{ADVICE.read_text(encoding="utf-8").strip()}

## A transaction for each pick

{per_pick}

## Lists

Mean latency in seconds, by what the list shows. A transaction takes 2 ms.

{lists}
"""


if __name__ == "__main__":
    PAGE.write_text(page(datetime.now(UTC).date().isoformat()), encoding="utf-8")
