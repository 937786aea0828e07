"""What has changed since a baseline was saved."""

from dataclasses import dataclass

from sim.measure.catalogue import VOCABULARY, metric_of
from sim.measure.changes.baseline import Baseline, BaselineEntry, Figure
from sim.measure.differences import Difference, finding
from sim.measure.statistics import Interval, Sample, simultaneous, unpaired_difference

CONFIDENCE = 0.95
"""That of all intervals together."""
MARGIN = 0.01
"""Part of the baseline's mean. Smaller changes do not count, and the rounding of the file is smaller than this."""


@dataclass(frozen=True, slots=True)
class BaselineChange:
    """One variant beside its baseline."""

    scenario: str
    variant: str
    is_known: bool
    """Whether the baseline has the variant."""
    is_identical: bool
    """Whether it decided as then, on the same seeds."""
    rows: tuple[Difference, ...] = ()
    """The metrics that changed beyond noise, or by more than the margin on the only seed."""
    gone: tuple[str, ...] = ()
    """Metrics that the baseline has and that apply no longer."""

    @property
    def has_failed(self) -> bool:
        """Whether something changed."""
        return bool(self.rows or self.gone)

    @property
    def lines(self) -> list[str]:
        """A line for each change; one line if there is none."""
        name = f"{self.scenario}, {self.variant}"
        if not self.is_known:
            return [f"{name}: not in the baseline; --save-baseline writes it anew"]
        if self.is_identical:
            return [f"{name}: identical to the baseline"]
        changes = [f"{name}: {row}" for row in self.rows]
        changes += [f"{name}: {metric}: in the baseline, and does not apply now" for metric in self.gone]
        return changes or [f"{name}: decided otherwise than in the baseline; no metric changed beyond noise"]


def baseline_changes(baseline: Baseline, now: Baseline) -> list[BaselineChange]:
    """Return what became of each variant that was run now.

    Of several seeds, a metric changed beyond noise if the interval of Welch (`unpaired_difference`) lies outside the
    margin around 0; the intervals of all variants hold together with 95 % confidence (Bonferroni). One seed gives no
    interval: there a change by more than the margin is one.
    """
    moved = {key for key, entry in now.items() if key in baseline and not _is_identical(baseline[key], entry)}
    each = simultaneous(CONFIDENCE, sum(len(baseline[key].figures) for key in moved))
    return [
        _change(key, baseline[key], entry, each)
        if key in moved
        else BaselineChange(*key, is_known=key in baseline, is_identical=key in baseline)
        for key, entry in now.items()
    ]


def _is_identical(then: BaselineEntry, now: BaselineEntry) -> bool:
    return (then.digest, then.seeds) == (now.digest, now.seeds)


def _change(key: tuple[str, str], then: BaselineEntry, now: BaselineEntry, confidence: float) -> BaselineChange:
    known = {metric: figure for metric, figure in then.figures.items() if VOCABULARY.ask(metric) is not None}
    rows = (_difference(metric, then, now, confidence) for metric in known if metric in now.figures)
    return BaselineChange(
        *key,
        is_known=True,
        is_identical=False,
        rows=tuple(row for row in rows if row.verdict.is_clear_difference),
        gone=tuple(metric for metric in known if metric not in now.figures),
    )


def _difference(metric: str, then: BaselineEntry, now: BaselineEntry, confidence: float) -> Difference:
    old, new = then.figures[metric], now.figures[metric]
    interval = _interval(old, then.runs, new, now.runs, confidence)
    change = new.mean - old.mean
    verdict = finding(interval or Interval(change, change, change), MARGIN * abs(old.mean), metric_of(metric).better)
    return Difference(metric, "baseline", "now", now.runs, old.mean, new.mean, interval, verdict)


def _interval(old: Figure, old_runs: int, new: Figure, new_runs: int, confidence: float) -> Interval | None:
    """Return the interval of the change; None if one of the two is of one seed."""
    if old_runs < 2 or new_runs < 2:
        return None
    then, now = Sample.of(old.mean, old.half_width, old_runs), Sample.of(new.mean, new.half_width, new_runs)
    return unpaired_difference(then, now, confidence)
