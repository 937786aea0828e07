"""Two result folders of the same scenarios, as from two commits: what changed beyond noise, and from where on."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sim import __version__
from sim.measure.catalogue import VOCABULARY
from sim.measure.changes.changed_sides import ChangedSide, changed_sides, joint_sides
from sim.measure.changes.first_difference import Parting, first_difference
from sim.measure.differences import Demand, Difference, Finding, Side, difference_of
from sim.measure.saved.result_folder import ResultFolder, SavedRun
from sim.measure.statistics import simultaneous


class RunGroup(NamedTuple):
    """Runs of one variant."""

    scenario: str
    variant: str
    seeds: tuple[int, ...]


class ChangedScope(NamedTuple):
    """A metric that applies to more runs of one folder than of the other."""

    metric: str
    base_runs: int
    new_runs: int


@dataclass(frozen=True, slots=True)
class VariantChange:
    """What became of one variant, on the seeds that both folders have."""

    runs: RunGroup
    identical: tuple[int, ...]
    """Seeds on which both decided identically."""
    rows: tuple[Difference, ...]
    """Metric by metric, `a` being the base and `b` the new folder; none if all runs are identical in their figures."""
    untold: tuple[Difference, ...]
    """The rows that differ by more than the margin on the only seed they apply to: it cannot be told from noise."""
    scopes: tuple[ChangedScope, ...]
    sides: tuple[ChangedSide, ...]
    partings: Mapping[int, Parting | None]
    """By seed, where the runs part that are not identical; None if only their times differ."""

    @property
    def has_changed(self) -> bool:
        """Whether there is anything to tell but that the runs are identical."""
        return bool(self.partings or self.changed or self.untold or self.scopes or self.sides)

    @property
    def changed(self) -> list[Difference]:
        """The rows that changed beyond noise."""
        return [row for row in self.rows if row.verdict.is_clear_difference]

    @property
    def document(self) -> dict[str, Any]:
        """The change for programs, in values that JSON has."""
        return {
            **self.runs._asdict(),
            "identical": list(self.identical),
            "rows": [row.document for row in self.rows],
            "scopes": [scope._asdict() for scope in self.scopes],
            "expectations": [side._asdict() for side in self.sides],
            "first_differences": [
                {"seed": seed, **(parting.document if parting is not None else {"what": None})}
                for seed, parting in self.partings.items()
            ],
        }


@dataclass(frozen=True, slots=True)
class FolderComparison:
    """All that is to be said of two folders."""

    base: Path
    new: Path
    demand: Demand
    """Its confidence is that of all intervals together."""
    variants: tuple[VariantChange, ...]
    only_base: tuple[RunGroup, ...]
    only_new: tuple[RunGroup, ...]

    @property
    def is_worse(self) -> bool:
        """Whether a metric is worse beyond noise, or an expectation holds less often."""
        return any(
            any(row.verdict is Finding.A for row in one.rows) or any(side.is_worse for side in one.sides)
            for one in self.variants
        )

    @property
    def verdict(self) -> str:
        """The whole comparison in one sentence."""
        runs = sum(len(one.runs.seeds) for one in self.variants)
        identical = sum(len(one.identical) for one in self.variants)
        if not any(one.has_changed for one in self.variants):
            return f"No change: all {runs} runs decided identically."
        parts = [f"{count} {one if count == 1 else several}" for (one, several), count in self._counts() if count]
        changes = ", ".join(parts) or "no metric changed beyond noise, and no expectation changed sides"
        kind = "Worse" if self.is_worse else "Better" if self._is_better else "Changed"
        return f"{kind}: {changes}; {runs - identical} of {runs} runs differ."

    @property
    def document(self) -> dict[str, Any]:
        """The comparison for programs, in values that JSON has."""
        return {
            "sim": __version__,
            "base": str(self.base),
            "new": str(self.new),
            "confidence": self.demand.confidence,
            "margin": self.demand.margin,
            "verdict": self.verdict,
            "worse": self.is_worse,
            "variants": [one.document for one in self.variants],
            "only_base": [runs._asdict() for runs in self.only_base],
            "only_new": [runs._asdict() for runs in self.only_new],
        }

    @property
    def _is_better(self) -> bool:
        return any(
            any(row.verdict is Finding.B for row in one.rows) or any(side.is_better for side in one.sides)
            for one in self.variants
        )

    def _counts(self) -> Iterator[tuple[tuple[str, str], int]]:
        """Yield the kinds of change, each in words for one and for several, and how many there are."""
        rows = Counter(row.verdict for one in self.variants for row in one.rows)
        scopes = sum(len(one.scopes) for one in self.variants)
        yield ("metric applies to other runs", "metrics apply to other runs"), scopes
        sides = [side for one in self.variants for side in one.sides]
        yield ("metric worse", "metrics worse"), rows[Finding.A]
        yield ("metric better", "metrics better"), rows[Finding.B]
        yield ("metric changed", "metrics changed"), rows[Finding.DIFFERS]
        yield (
            ("metric differs on its only seed", "metrics differ on their only seed"),
            sum(len(one.untold) for one in self.variants),
        )
        yield ("expectation holds less often", "expectations hold less often"), sum(side.is_worse for side in sides)
        yield ("expectation holds more often", "expectations hold more often"), sum(side.is_better for side in sides)
        bugs = [side.new_held - side.base_held for side in sides if side.shows_bug]
        yield ("known bug shows less often", "known bugs show less often"), sum(more < 0 for more in bugs)
        yield ("known bug shows more often", "known bugs show more often"), sum(more > 0 for more in bugs)


def compare_results(base: ResultFolder, new: ResultFolder, metrics: Sequence[str], demand: Demand) -> FolderComparison:
    """Compare the runs that both folders have, in these `metrics` and in those of their expectations.

    A metric changed beyond noise if the interval of its paired differences over the seeds says so; all intervals hold
    together at the confidence of the `demand` (Bonferroni). One seed gives no interval. Raises BadRunFolder if a run
    that went another way is damaged.
    """
    ours, theirs = _by_variant(base), _by_variant(new)
    both = [key for key in ours if ours[key].keys() & theirs.get(key, {}).keys()]
    pairs = {key: [(run, theirs[key][seed]) for seed, run in ours[key].items() if seed in theirs[key]] for key in both}
    moved = [key for key in both if any(_differ(*pair) or _measure_otherwise(*pair) for pair in pairs[key])]
    chosen = {key: _metrics(pairs[key], metrics) for key in moved}
    each = Demand(simultaneous(demand.confidence, sum(map(len, chosen.values()))), demand.margin)
    joint = joint_sides(base.joint, new.joint)
    return FolderComparison(
        base.path,
        new.path,
        demand,
        tuple(_change(key, pairs[key], chosen.get(key, ()), each, joint.get(key, ())) for key in both),
        tuple(_left_over(ours, theirs)),
        tuple(_left_over(theirs, ours)),
    )


_Key = tuple[str, str]
"""Scenario and variant."""
_Pair = tuple[SavedRun, SavedRun]


def _by_variant(folder: ResultFolder) -> dict[_Key, dict[int, SavedRun]]:
    runs: dict[_Key, dict[int, SavedRun]] = {}
    for one in folder.runs:
        runs.setdefault((one.scenario, one.run.variant), {})[one.run.seed] = one
    return runs


def _left_over(
    runs: Mapping[_Key, Mapping[int, SavedRun]], others: Mapping[_Key, Mapping[int, SavedRun]]
) -> Iterator[RunGroup]:
    for key, by_seed in runs.items():
        seeds = tuple(seed for seed in by_seed if seed not in others.get(key, {}))
        if seeds:
            yield RunGroup(*key, seeds)


def _metrics(pairs: Iterable[_Pair], named: Sequence[str]) -> list[str]:
    """Return what to compare of a variant, of what its runs have and this version knows."""
    runs = [one.run for pair in pairs for one in pair]
    applying = {metric for run in runs for metric in run.metrics}
    expected = (verdict.metric for run in runs for verdict in run.verdicts)
    wanted = dict.fromkeys([*named, *expected])
    return [metric for metric in wanted if metric in applying and VOCABULARY.ask(metric) is not None]


def _change(
    key: _Key, pairs: Sequence[_Pair], metrics: Sequence[str], demand: Demand, joint: Sequence[ChangedSide]
) -> VariantChange:
    seeds = tuple(base.run.seed for base, _ in pairs)
    parted = [pair for pair in pairs if _differ(*pair)]
    rows = tuple(_difference(metric, pairs, demand) for metric in metrics)
    return VariantChange(
        RunGroup(*key, seeds),
        tuple(base.run.seed for base, new in pairs if not _differ(base, new)),
        rows,
        tuple(row for row in rows if row.pairs == 1 and _is_beyond(demand.margin, row)),
        tuple(_changed_scopes(metrics, pairs)),
        (*changed_sides([base.run.verdicts for base, _ in pairs], [new.run.verdicts for _, new in pairs]), *joint),
        {base.run.seed: first_difference(base.folder, new.folder) for base, new in parted},
    )


def _is_beyond(margin: float, row: Difference) -> bool:
    return row.a is not None and row.difference is not None and abs(row.difference) > margin * abs(row.a)


def _changed_scopes(metrics: Iterable[str], pairs: Sequence[_Pair]) -> Iterator[ChangedScope]:
    for metric in metrics:
        base, new = (sum(metric in one.run.metrics for one in of_side) for of_side in zip(*pairs, strict=True))
        if base != new:
            yield ChangedScope(metric, base, new)


def _differ(base: SavedRun, new: SavedRun) -> bool:
    return base.run.digest != new.run.digest


def _measure_otherwise(base: SavedRun, new: SavedRun) -> bool:
    """Tell whether figures differ, as they do between versions that compute a metric otherwise from the same events."""
    return base.run.metrics != new.run.metrics


def _difference(metric: str, pairs: Sequence[_Pair], demand: Demand) -> Difference:
    base, new = zip(*((base.run.metrics.get(metric), new.run.metrics.get(metric)) for base, new in pairs), strict=True)
    return difference_of(metric, Side("base", base), Side("new", new), demand)
