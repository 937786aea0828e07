"""The assertion that a router spreads its requests evenly, as far as so few requests can tell."""

from collections.abc import Iterator, Mapping, Sequence
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
    the load usually deals more evenly, and fails less often.

    Raises AssertionError if a replica got too many or too few, and also if nothing can be told: if no request had a
    choice between replicas, or if no split of so few requests could fail. Raises ValueError for a model that the run
    does not have, for a stretch that is none, and for numbers that make no sense.
    """
    __tracebackhide__ = True
    if not 0 <= tolerance < 1 or not 0 < false_alarm < 1:
        raise ValueError(f"a tolerance is from 0 to below 1, a false alarm between 0 and 1: {tolerance}, {false_alarm}")
    window = Window.between(after, before)
    view = view_of(result.records, result.totals, result.facts, window)
    of_models = {name: even_shares(view, name) for name in _models(result, model)}
    each = false_alarm / max(sum(map(len, of_models.values())), 1)
    judged = {name: judged_shares(shares, tolerance, each) for name, shares in of_models.items()}
    if not any(one.can_fail for of_model in judged.values() for one in of_model):
        raise AssertionError(f"{result.name}: the balance cannot be told: {_why_not(judged)}")
    for name, of_model in judged.items():
        if not all(one.is_tolerable for one in of_model):
            where = " ".join(filter(None, [name, str(window)]))
            lines = "\n".join(_lines(of_model, tolerance))
            raise AssertionError(
                f"{result.name}: {where} is not balanced\n{lines}\n"
                f"(a balanced router fails like this in at most {false_alarm:.3g} of all runs)"
            )


@dataclass(frozen=True, slots=True)
class JudgedShare:
    """A replica's share, and within which limits it is tolerable."""

    share: EvenShare
    least: int
    """Requests."""
    most: int

    @property
    def is_tolerable(self) -> bool:
        """Whether it is within the limits."""
        return self.least <= self.share.requests <= self.most

    @property
    def can_fail(self) -> bool:
        """Whether any number of requests would be beyond the limits."""
        return self.least > 0 or self.most < self.share.offered


def judged_shares(shares: Sequence[EvenShare], tolerance: float, false_alarm: float) -> list[JudgedShare]:
    """Return each share with limits that a tolerable one leaves with at most the probability `false_alarm`, each."""
    # Here, because most tests do without it.
    from scipy.stats import binom

    judged = []
    for one in shares:
        even = one.even / one.offered
        least = binom.ppf(false_alarm / 2, one.offered, even * (1 - tolerance))
        most = binom.isf(false_alarm / 2, one.offered, min(even * (1 + tolerance), 1.0))
        judged.append(JudgedShare(one, int(least), int(most)))
    return judged


def _models(result: RunResult, model: str | None) -> Sequence[str]:
    if model is None:
        return result.facts.models
    if model not in result.facts.models:
        hint = did_you_mean(model, result.facts.models)
        raise ValueError(f"model: {found(model)} is not in the run; allowed: {listed(result.facts.models)}{hint}")
    return [model]


def _why_not(judged: Mapping[str, Sequence[JudgedShare]]) -> str:
    requests = sum(one.share.requests for of_model in judged.values() for one in of_model)
    if not requests:
        return "no completed request had a choice between replicas"
    return f"of {requests} requests no split could fail; more requests are needed"


def _lines(judged: Sequence[JudgedShare], tolerance: float) -> Iterator[str]:
    for one in judged:
        if not one.is_tolerable:
            share = one.share
            yield (
                f"{share.replica} served {share.requests:,} of {share.offered:,} requests that arrived while it was "
                f"ready; an even share is {share.even:,.1f}; tolerable, {tolerance:.0%} off and by chance, are "
                f"{one.least:,} to {one.most:,}"
            )
    total = sum(one.share.requests for one in judged)
    yield from share_lines(
        ReplicaShare(one.share.replica, one.share.requests / total, one.share.requests) for one in judged
    )
