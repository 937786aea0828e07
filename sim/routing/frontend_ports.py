"""All that a frontend reaches its world through."""

from dataclasses import dataclass

from sim.routing.load_jobs import LoadJobs
from sim.routing.ports import Dialer, Journal, Runtime, WorkerControl


@dataclass(frozen=True, slots=True)
class FrontendPorts:
    """One frontend's ports."""

    runtime: Runtime
    registry: LoadJobs
    dialer: Dialer
    worker: WorkerControl
    journal: Journal
