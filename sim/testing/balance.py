"""The assertion that a router spreads its requests evenly, as far as so few requests can tell."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sim.measure.even_share import EvenShare, even_shares
from sim.measure.result import RunResult
from sim.measure.summary import view_of
from sim.measure.window import Window
from sim.scenario.text.errors import did_you_mean, found, listed
from sim.testing.shares import ReplicaShare, share_lines


def assert_balanced(
    result: RunResult,
    model: str | None = None,
    *,
    after: str | None = None,
    before: str | None = None,
    tolerance: float = 0.3,
    false_alarm: float = 0.001,
) -> None:
    """Assert that each replica of the model, or of every model, got its share of the completed requests.

    An even share is what a replica would get if each request went to any replica that was ready when it arrived, all
    equally likely; so a replica that was added late is held to what came since. A router is balanced if the true share
    of each replica differs from that by no more than `tolerance`, a part of the even share. `after` and `before`, such
    as `60s`, restrict it to requests that arrive then.

    Few requests differ from the true shares by chance. The test allows for that: a balanced router fails with a
    probability of at most `false_alarm`, over all replicas and models together. For each replica these are the two
    one-sided exact binomial tests (Clopper & Pearson, Biometrika 26, 1934) at the limits of the tolerance, each at
    `false_alarm` over twice the number of replicas (Bonferroni). Where the chance of a request varies, with the number
    of replicas that were ready, the binomial law of the mean chance is on the safe side (Hoeffding, Annals of
    Mathematical Statistics 27, 1956). The bound holds for requests that are dealt independently; a router that looks at
    the load deals more evenly, and fails less often.

    Raises AssertionError if a replica got too many or too few, if there was no request with a choice, and if no split
    of so few requests could fail. Raises ValueError for a model that the run does not have, for a stretch that is none,
    and for numbers that make no sense.
    """
    __tracebackhide__ = True
    if not 0 <= tolerance < 1 or not 0 < false_alarm < 1:
        raise ValueError(f"a tolerance is from 0 to below 1, a false alarm between 0 and 1: {tolerance}, {false_alarm}")
    window = Window.between(after, before)
    view = view_of(result.records, result.totals, result.facts, window)
    of_models = {name: even_shares(view, name) for name in _models(result, model)}
    level = false_alarm / max(2 * sum(map(len, of_models.values())), 1)
    for name, shares in of_models.items():
        limits = [_Limits.of(one, tolerance, level) for one in shares]
        if complaint := _complaint(shares, limits, tolerance):
            where = " ".join(filter(None, [name, str(window)]))
            raise AssertionError(
                f"{result.scenario}, {result.variant}, seed {result.seed}: {where} is not balanced: {complaint}\n"
                f"A balanced router is taken for one that is not in at most {false_alarm:.3g} of all tests."
            )


@dataclass(frozen=True, slots=True)
class _Limits:
    """How many requests a replica may serve."""

    least: int
    most: int

    @classmethod
    def of(cls, share: EvenShare, tolerance: float, level: float) -> "_Limits":
        """Return the limits beyond which a tolerable share goes with a probability of at most `level` to each side."""
        # Here, because most tests do without it.
        from scipy.stats import binom

        even = share.even / share.offered
        least = binom.ppf(level, share.offered, even * (1 - tolerance))
        most = binom.isf(level, share.offered, min(even * (1 + tolerance), 1.0))
        return cls(int(least), int(most))


def _models(result: RunResult, model: str | None) -> Sequence[str]:
    if model is None:
        return result.facts.models
    if model not in result.facts.models:
        hint = did_you_mean(model, result.facts.models)
        raise ValueError(f"model: {found(model)} is not in the run; allowed: {listed(result.facts.models)}{hint}")
    return [model]


def _complaint(shares: Sequence[EvenShare], limits: Sequence[_Limits], tolerance: float) -> str:
    """Return what is wrong with the shares of a model; empty if nothing is."""
    if not shares:
        return "no completed request had a choice between replicas"
    if all(limit.least <= 0 and limit.most >= share.offered for share, limit in zip(shares, limits, strict=True)):
        requests = sum(one.requests for one in shares)
        return f"no split of {requests} requests could fail, as they are too few; allowed: more requests"
    lines = list(_misfits(shares, limits, tolerance))
    return "\n".join([*lines, *_bars(shares)]) if lines else ""


def _misfits(shares: Sequence[EvenShare], limits: Sequence[_Limits], tolerance: float) -> Iterator[str]:
    for one, limit in zip(shares, limits, strict=True):
        if limit.least <= one.requests <= limit.most:
            continue
        yield (
            f"{one.replica} served {one.requests:,} of the {one.offered:,} requests that arrived while it was ready; "
            f"an even share is {one.even:,.1f}, allowed are {limit.least:,} to {limit.most:,} (by {tolerance:.0%} and "
            "by chance)"
        )


def _bars(shares: Sequence[EvenShare]) -> Iterator[str]:
    total = sum(one.requests for one in shares)
    yield from share_lines(ReplicaShare(one.replica, one.requests / total, one.requests) for one in shares)
