"""Several variants on several seeds, and what came of them as one value."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from sim.measure.expectations import Verdict
from sim.measure.judged_run import JudgedRun
from sim.measure.over_seeds import joint_verdicts
from sim.measure.result import RunResult
from sim.scenario import ScenarioFile
from sim.study.batch import Job, RunSpec, run_batch
from sim.study.errors import NotTheSameRun
from sim.study.process_executor import sharing_out
from sim.study.run import run
from sim.study.scenarios import as_loaded, checked_variant

if TYPE_CHECKING:
    import pandas as pd

    from sim.report.plots.results_plots import ResultsPlots


@dataclass(frozen=True, repr=False, eq=False)
class Results:
    """What is kept of many runs: figures and verdicts of each, and how to have any of them again.

    Tables of all runs at once would not fit in memory. A run is a pure function of its scenario and seed, so
    `results["fixed", 7]` runs that one again, and returns its `RunResult` with every table.
    """

    file: ScenarioFile
    runs: tuple[JudgedRun, ...]
    """Seed by seed, and within a seed in the order of the file's variants."""

    @cached_property
    def metrics(self) -> "pd.DataFrame":
        """One row for each figure of each run: variant, seed, metric, value."""
        # Here, because figures and verdicts do without it.
        import pandas as pd

        rows = [(run.variant, run.seed, metric, value) for run in self.runs for metric, value in run.metrics.items()]
        table = pd.DataFrame(rows, columns=["variant", "seed", "metric", "value"])
        # Seeds go up to 2^64 - 1.
        return table.astype({"seed": "uint64", "value": "float64"})

    @property
    def plot(self) -> "ResultsPlots":
        """Plots of the variants side by side: `results.plot.latency()` and others."""
        # Here, because it imports matplotlib.
        from sim.report.plots.results_plots import ResultsPlots

        return ResultsPlots(self.runs, self.__getitem__)

    @property
    def verdicts(self) -> list[Verdict]:
        """How each run stands to each expectation, in the order of the runs; then those on all seeds together."""
        on_one_seed = [verdict for run in self.runs for verdict in run.verdicts if verdict.counts]
        return [*on_one_seed, *joint_verdicts(self.runs)]

    @property
    def failed(self) -> list[Verdict]:
        """The verdicts that did not hold; each reads as a line that names variant, seed, figure and bound.

        One that needs more seeds than were run is among them.
        """
        return [one for one in self.verdicts if one.passed is False or (one.passed is None and one.over is not None)]

    def __getitem__(self, key: tuple[str, int]) -> RunResult:
        """Return the result of a variant on a seed, which is run again.

        Raises KeyError if it is not among the runs, and NotTheSameRun if its digest is not what it was.
        """
        digests = {(one.variant, one.seed): one.digest for one in self.runs}
        if key not in digests:
            raise KeyError(f"{key!r} was not run; there are {self._extent()}")
        result = run(self.file, *key)
        if result.digest != digests[key]:
            raise NotTheSameRun(f"{result!r} had the digest {digests[key]} before")
        return result

    def __len__(self) -> int:
        return len(self.runs)

    def __repr__(self) -> str:
        return f"<Results {self.file.name}: {self._extent()}, {self._outcome()}>"

    def _repr_html_(self) -> str:
        """Show in a notebook what was run, and what did not hold."""
        lines = "".join(f"<li>{escape(str(verdict))}</li>" for verdict in self.failed)
        return f"<p>{escape(self.file.name)}: {escape(self._extent())}, {self._outcome()}</p><ul>{lines}</ul>"

    def _extent(self) -> str:
        variants = dict.fromkeys(run.variant for run in self.runs)
        seeds = dict.fromkeys(run.seed for run in self.runs)
        first, last = min(seeds), max(seeds)
        numbers = f"seed {first}" if first == last else f"{len(seeds)} seeds from {first} to {last}"
        return f"{', '.join(variants)} on {numbers}"

    def _outcome(self) -> str:
        return f"{len(self.failed)} of {len(self.verdicts)} verdicts failed"


def run_all(
    file: ScenarioFile | str | Path,
    variants: Sequence[str] | None = None,
    seeds: Iterable[int] = range(20),
    *,
    policies: Mapping[str, object] | None = None,
    allow_code: bool = False,
    jobs: int = 1,
    executor: Executor | None = None,
) -> Results:
    """Run the variants of a scenario, all of them unless named, on each seed, and judge them by what it expects.

    The scenario is a path or what `load` returned; `policies` and `allow_code` are those of `load`. `jobs` seeds run
    at a time, each in a process of its own; a script that asks for several needs `if __name__ == "__main__":`, as with
    any use of multiprocessing. Or an `executor` is handed in, which may take the runs to other machines. Neither
    changes a figure.

    Raises NoSuchVariant, ScenarioError if the file cannot be used, WorkerDied if a process is killed, and ValueError
    if nothing is to be run.
    """
    loaded = as_loaded(file, policies, allow_code=allow_code)
    chosen = list(loaded.variants) if variants is None else [checked_variant(loaded, name) for name in variants]
    batch = [Job(loaded, tuple(RunSpec(name, seed) for name in dict.fromkeys(chosen))) for seed in dict.fromkeys(seeds)]
    if not batch or not chosen:
        raise ValueError("run_all needs at least one variant and one seed")
    with sharing_out(executor, min(jobs, len(batch))) as used:
        return Results(loaded, tuple(run for runs in run_batch(batch, used) for run in runs))
