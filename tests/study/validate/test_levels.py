"""The recursion and the simulator on the same requests: they agree to the nanosecond, unless one of them is wrong."""

import numpy as np
import pytest

from sim.study.validate.answer import first_seed
from sim.study.validate.families.bursts import Bursts
from sim.study.validate.families.probes import ProbedBackend, share_of_timeouts
from sim.study.validate.queueing import services, station
from sim.study.validate.queueing.arrivals import Batches
from sim.study.validate.queueing.dispatch import OldFigures, ShownCounts
from sim.study.validate.queueing.levels import Correction, Recursion, TwoLevels
from sim.study.validate.queueing.served import Served, mean_sojourn
from sim.study.validate.queueing.station import Station

SHORT = 0.3
"""A load at which replications are short."""


def old(shows: ShownCounts, every_s: float = 2.0) -> OldFigures:
    return OldFigures(every_s, shows)


STATIONS: dict[str, Station | Bursts] = {
    "one server": Station(SHORT),
    "constant service": Station(SHORT, services.DETERMINISTIC),
    "service that the validation draws": Station(SHORT, services.SHORT_AND_LONG),
    "batches": Station(SHORT, arrivals=Batches(4)),
    "several workers": Station(SHORT, workers=4),
    "a random server": Station(SHORT, servers=3, policy="random"),
    "in turn": Station(SHORT, servers=3, policy="round_robin"),
    "the shortest queue": Station(SHORT, servers=3, policy="least_in_flight"),
    "an idle server": Station(0.6, servers=3, policy="join_idle_queue"),
    "the shorter of two": Station(0.6, servers=12, policy="{name: power_of_d, d: 2, replacement: true}"),
    "bursts at a central queue": Bursts(8, 1, 4),
    "bursts that herd": Bursts(8, 4, policy="{name: snapshot, refresh_s: 1}"),
    "old figures": Station(0.6, servers=4, policy="least_in_flight", figures=old("snapshot")),
    "old figures and idle times": Station(0.1, servers=2, policy="least_in_flight", figures=old("snapshot", 0.5)),
    "old figures and what was sent since": Station(0.6, servers=4, policy="least_in_flight", figures=old("own_sends")),
    "old figures as turns": Station(0.6, servers=4, policy="least_in_flight", figures=old("rotate")),
}


@pytest.mark.parametrize("one", STATIONS.values(), ids=STATIONS)
def test_the_simulator_starts_and_ends_each_request_when_the_recursion_does(one: Station | Bursts) -> None:
    plan = one.plan(7)

    assert_same(one.simulated(plan), one.recursed(plan))


PROBED = {
    "a queue": ProbedBackend(SHORT, 1.0, services.EXPONENTIAL),
    "a queue of constant service": ProbedBackend(SHORT, 0.4, services.DETERMINISTIC),
    "a queue of several workers": ProbedBackend(SHORT, 0.2, services.EXPONENTIAL, workers=3),
    "the running request": ProbedBackend(SHORT, 0.4, services.EXPONENTIAL, health="event_loop"),
}


@pytest.mark.parametrize("one", PROBED.values(), ids=PROBED)
def test_the_monitors_probes_time_out_where_those_of_the_recursion_do(one: ProbedBackend) -> None:
    plan = one.plan(7)

    simulated, recursed = one.simulated(plan), one.recursed(plan)

    np.testing.assert_array_equal(simulated.begin_s, recursed.begin_s)
    np.testing.assert_array_equal(simulated.has_timed_out, recursed.has_timed_out)
    assert 0 < share_of_timeouts(recursed) < 1


def test_the_sum_of_the_levels_is_the_mean_of_the_simulator(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend that is slower than its node says differs from the recursion by what that costs."""
    text = station.station_text
    monkeypatch.setattr(
        station, "station_text", lambda *given: text(*given).replace("{name: n0}", "{name: n0, speed: 0.5}")
    )
    one = Station(SHORT)
    slow = one.simulated(one.plan(7))

    (added,) = Correction(one).replicate(7, [mean_sojourn]).figures
    (expected,) = Recursion(one).replicate(7, [mean_sojourn]).figures

    assert added > 1
    assert expected + added == pytest.approx(mean_sojourn(slow))


def test_levels_have_requests_of_their_own() -> None:
    recursion, correction = (level.replicated for level in TwoLevels(Station(SHORT)).levels)

    assert first_seed(recursion, 1) != first_seed(correction, 1)


def assert_same(one: Served, other: Served) -> None:
    np.testing.assert_array_equal(one.start_s, other.start_s)
    np.testing.assert_array_equal(one.end_s, other.end_s)
    assert len(one.arrival_s) > 100
