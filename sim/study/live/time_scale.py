"""Whether a live run can be played as fast as its time scale says, on a machine whose own latencies do not scale."""

from sim.live.cluster.calibration import Calibration
from sim.measure.result import RunResult
from sim.routing.units import NS_PER_S
from sim.scenario import Scenario

MOST_SHARE = 0.2
"""How large routing on this machine may be beside the shortest time that the scenario is about."""


QUICK_ROUTES = 0.1
"""Part of a run's routes, the quickest ones, of which it is assumed that they wait for nobody."""


def least_time_scale(scenario: Scenario, routing_ns: float) -> float:
    """Return the time scale from which on the machine's own latencies are small beside the scenario's times.

    Those are a model's mean service time, where it is given, and the time limit of a probe. `routing_ns` is the real
    time that the machine takes to route a request that waits for nobody.
    """
    service_ns = [model.service.mean_ns for model in scenario.models if model.service.mean_ns]
    shortest_ns = min([scenario.router.probe.timeout_ns, *service_ns])
    return routing_ns / (MOST_SHARE * shortest_ns)


def too_small(scenario: Scenario, measured: Calibration, time_scale: float) -> str | None:
    """Return what is wrong with the time scale by a calibration, or None."""
    # Its pick, a touch, the two counts of its call, a probe and the call.
    routing_ns = measured.pick.median_ns + 3 * measured.touch.median_ns + 2 * measured.round_trip.median_ns
    return _told(scenario, routing_ns, time_scale)


def was_too_small(scenario: Scenario, live: RunResult, time_scale: float) -> str | None:
    """Return what was wrong with the time scale of a live run by its own routes, or None."""
    routes_s = live.requests["route_s"].dropna()
    if routes_s.empty:
        return None
    return _told(scenario, float(routes_s.quantile(QUICK_ROUTES)) * NS_PER_S * time_scale, time_scale)


def _told(scenario: Scenario, routing_ns: float, time_scale: float) -> str | None:
    least = least_time_scale(scenario, routing_ns)
    if time_scale >= least:
        return None
    return (
        f"--time-scale: {time_scale:g} is too small for this machine, on which routing a request takes "
        f"{routing_ns / time_scale / NS_PER_S:.3g} s of the scenario's time; better here: {least:.3g} or more"
    )
