"""The share of each replica as lines of text with bars, for the message of a failed test."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Self

from sim.measure.result import RunResult
from sim.measure.window import Window
from sim.report.figures import bar
from sim.scenario.vocabulary import replica_metric, replica_of_share

_WIDTH = 24


class ReplicaShare(NamedTuple):
    """What one replica did of its model's completed requests."""

    replica: str
    share: float
    """From 0 to 1."""
    requests: int

    @classmethod
    def of_run(cls, result: RunResult, window: Window) -> Iterator[Self]:
        """Yield the share of every replica in a window of the run."""
        figures = result.metrics_in(window)
        for name, share in figures.items():
            label = replica_of_share(name)
            if label is not None:
                yield cls(label, share, int(figures[replica_metric(label, "requests")]))


def share_lines(shares: Iterable[ReplicaShare]) -> Iterator[str]:
    """Yield a line for each replica; one that got nothing is pointed out."""
    shares = list(shares)
    label_width = max((len(one.replica) for one in shares), default=0)
    for one in shares:
        amount = f"{one.requests:,} requests" if one.requests else "no request at all"
        yield f"{one.replica.ljust(label_width)}  {bar(one.share, _WIDTH)} {one.share:4.0%}  {amount}"
