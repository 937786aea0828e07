"""How ties are broken changes who serves, and not how long it takes, as long as the router sees what is in flight.

For equal exponential servers the sorted vector of queue lengths is the same Markov chain whichever of equals is taken.
"""

from functools import cache

import pytest

from sim.measure.analysis.fairness import jain, jain_of_random_split
from sim.study.validate.estimate import controlled_estimate
from sim.study.validate.families.splits import Split
from sim.study.validate.queueing.served import mean_sojourn
from sim.study.validate.queueing.station import Station

AT_RANDOM = "{name: least_in_flight, ties: random}"
FIRST = "{name: least_in_flight, ties: first}"
ROTATE = "{name: least_in_flight, ties: rotate}"
OLDEST = "best_replica"
REPLICATIONS = range(10)
CONFIDENCE = 0.999


@pytest.mark.slow
@pytest.mark.parametrize("ties", [FIRST, ROTATE, OLDEST])
def test_ties_do_not_change_the_mean_sojourn(ties: str) -> None:
    """A right router fails each case once in a thousand base seeds; the interval is narrow enough to see 4 %."""
    difference = controlled_estimate(
        [of_ties - at_random for of_ties, at_random in zip(sojourns(ties), sojourns(AT_RANDOM), strict=True)],
        [()] * len(REPLICATIONS),
    )

    assert abs(difference.mean) <= difference.half_width(CONFIDENCE)
    assert difference.half_width(CONFIDENCE) <= 0.04 * sum(sojourns(AT_RANDOM)) / len(REPLICATIONS)


@pytest.mark.slow
def test_another_rule_than_the_shortest_queue_is_noticed() -> None:
    """With the shorter of two random queues, T is about a fifth longer."""
    pairs = zip(sojourns("{name: power_of_d, d: 2}"), sojourns(AT_RANDOM), strict=True)

    difference = controlled_estimate([drawn - shortest for drawn, shortest in pairs], [()] * len(REPLICATIONS))

    assert difference.interval(CONFIDENCE).low > 0


@pytest.mark.parametrize(
    ("ties", "fairness"),
    [pytest.param(FIRST, 0.25, id="first"), pytest.param(ROTATE, 1, id="rotate"), pytest.param(OLDEST, 1, id="oldest")],
)
def test_an_idle_fleet_shows_how_ties_are_broken(ties: str, fairness: float) -> None:
    (found,) = Split(40, 4, ties).replicate(1, [jain]).figures

    assert found == pytest.approx(fairness)


def test_an_idle_fleet_is_as_uneven_as_chance_if_ties_are_random() -> None:
    blocks = [Split(40, 4, AT_RANDOM).replicate(seed, [jain]).figures[0] for seed in REPLICATIONS]

    estimate = controlled_estimate(blocks, [()] * len(blocks))

    assert estimate.interval(CONFIDENCE).holds(jain_of_random_split(40, 4))
    assert estimate.half_width(CONFIDENCE) < 0.02


@cache
def sojourns(policy: str) -> list[float]:
    """The mean of each replication at 70 % load; replications of the same number see the same requests."""
    station = Station(0.7, servers=4, policy=policy)
    return [mean_sojourn(station.simulated(station.plan(number))) for number in REPLICATIONS]
