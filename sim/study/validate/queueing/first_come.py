"""What becomes of a plan's requests if servers are first come, first served, and nothing else takes time."""

from collections.abc import Mapping

import numpy as np

from sim.scenario.plan.plan import Plan
from sim.study.validate.queueing.dispatch import OldFigures, Picks, Servers, fresh_figures
from sim.study.validate.queueing.recursion import Times, waits_at_one, waits_at_several


def first_come(plan: Plan, servers: int, workers: int, figures: OldFigures | None) -> Mapping[str, Times]:
    """Return a table of the requests, as far as `Served` reads it.

    There are several servers of one worker each, which the plan's own policy chooses from by such figures, or one
    server with several workers.
    """
    arrival_ns, demand_ns = plan.open["arrival_ns"], plan.open["demand_ns"]
    if servers > 1:
        start_ns, server = _dispatched(plan, servers, figures)
    else:
        start_ns = arrival_ns + waits_at(arrival_ns, demand_ns, workers)
        server = np.zeros_like(start_ns)
    return {
        "arrival_ns": arrival_ns,
        "start_ns": start_ns,
        "end_ns": start_ns + demand_ns,
        "demand_ns": demand_ns,
        "replica": server,
    }


def waits_at(arrivals: Times, demands: Times, workers: int) -> Times:
    """Return the waits at one server with so many workers."""
    return waits_at_one(arrivals, demands) if workers == 1 else waits_at_several(arrivals, demands, workers)


def waits_among(arrivals: Times, demands: Times, probes: Times, workers: int) -> Times:
    """Return how long each probe waits at such a server: like a request of no length, behind those that are there."""
    all_arrivals = np.concatenate([arrivals, probes])
    all_demands = np.concatenate([demands, np.zeros_like(probes)])
    order = np.argsort(all_arrivals, kind="stable")
    is_probe = order >= len(arrivals)
    return waits_at(all_arrivals[order], all_demands[order], workers)[is_probe]


def _dispatched(plan: Plan, count: int, figures: OldFigures | None) -> tuple[Times, Times]:
    """Return when each request starts, and at which server."""
    servers, picks = Servers(count), Picks(plan.scenario, plan.seed)
    server_for = fresh_figures(servers, picks) if figures is None else figures.dispatcher(servers, picks)
    starts_ns, chosen = [], []
    for arrival_ns, demand_ns in zip(plan.open["arrival_ns"].tolist(), plan.open["demand_ns"].tolist(), strict=True):
        server = server_for(arrival_ns)
        starts_ns.append(servers.take(server, arrival_ns, demand_ns))
        chosen.append(server)
    return np.asarray(starts_ns, dtype=np.int64), np.asarray(chosen, dtype=np.int64)
