"""How long replications take, about, so that a validation knows what it can afford before it spends it.

The figures are seconds of a core of the machine on which they were measured. On another one all change alike.
"""

_REPLICATION_S = 0.001
"""Planning a replication, however short."""
_SIMULATED_S, _SIMULATED_PER_SERVER_S = 40e-6, 1.2e-6
"""A request in the simulator; its router looks at every server."""
_DISPATCHED_S, _DISPATCHED_PER_SERVER_S = 6e-6, 0.15e-6
"""A request in the recursion, if a policy chooses its server."""
_SEVERAL_WORKERS_S, _ONE_WORKER_S = 2e-6, 0.6e-6
"""A request in the recursion, if there is one server."""


def simulator_s(requests: float, servers: int = 1) -> float:
    """Return about how long the simulator takes for so many requests."""
    return _REPLICATION_S + requests * (_SIMULATED_S + _SIMULATED_PER_SERVER_S * servers)


def recursion_s(requests: float, servers: int, workers: int) -> float:
    """Return about how long the recursion takes for them."""
    if servers > 1:
        return _REPLICATION_S + requests * (_DISPATCHED_S + _DISPATCHED_PER_SERVER_S * servers)
    return _REPLICATION_S + requests * (_SEVERAL_WORKERS_S if workers > 1 else _ONE_WORKER_S)
