"""Whether a live run can be played as fast as its time scale says, on a machine whose own latencies do not scale."""

from sim.live.cluster.calibration import Calibration
from sim.routing.units import NS_PER_S
from sim.scenario import Scenario

MOST_SHARE = 0.1
"""How large routing on this machine may be beside the shortest time that the scenario is about."""


def least_time_scale(scenario: Scenario, measured: Calibration) -> float:
    """Return the time scale from which on the machine's own latencies are small beside the scenario's times.

    Those are a model's mean service time, where it is given, and the time limit of a probe.
    """
    service_ns = [model.service.mean_ns for model in scenario.models if model.service.mean_ns]
    shortest_ns = min([scenario.router.probe.timeout_ns, *service_ns])
    return _routing_ns(measured) / (MOST_SHARE * shortest_ns)


def too_small(scenario: Scenario, measured: Calibration, time_scale: float) -> str | None:
    """Return what is wrong with the time scale, or None."""
    least = least_time_scale(scenario, measured)
    if time_scale >= least:
        return None
    routing_s = _routing_ns(measured) / time_scale / NS_PER_S
    return (
        f"--time-scale: {time_scale:g} is too small for this machine, on which routing a request takes "
        f"{routing_s:.3g} s of the scenario's time; better here: {least:.2g} or more"
    )


def _routing_ns(measured: Calibration) -> int:
    """Return what one request costs by itself: its pick, a touch, the two counts of its call, a probe and the call."""
    return measured.pick.median_ns + 3 * measured.touch.median_ns + 2 * measured.round_trip.median_ns
