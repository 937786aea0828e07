"""What the machine that runs the router costs by itself, beside what the scenario says takes time."""

from typing import Protocol

from sim.routing.clients import Serve
from sim.routing.ports import FrontendPorts
from sim.scenario import ModelSpec, NodeSpec, ServiceLaw, service_law
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.registry.pick_modes import Hold, hold_for


class Machine(Protocol):
    """The costs of one run."""

    def law_of(self, model: ModelSpec, node: NodeSpec) -> ServiceLaw:
        """Return how long the node takes for the model's requests."""

    def hold_of_picks(self, frontend: int, runtime: SimulatedRuntime, pick_ns: int) -> Hold | None:
        """Return what a pick of this frontend waits for while it holds its row; the scenario has it wait `pick_ns`."""

    def around(self, frontend: int, runtime: SimulatedRuntime, ports: FrontendPorts) -> FrontendPorts:
        """Return the ports of the frontend of this index. It is called again when the frontend restarts."""

    def around_serve(self, frontend: int, runtime: SimulatedRuntime, serve: Serve) -> Serve:
        """Return what clients of the frontend of this index call."""


class IdealMachine:
    """Costs nothing: only what the scenario says takes time. This is what a scenario runs on."""

    def law_of(self, model: ModelSpec, node: NodeSpec) -> ServiceLaw:
        """Return the law that the scenario gives."""
        return service_law(model.service, node)

    def hold_of_picks(self, _frontend: int, runtime: SimulatedRuntime, pick_ns: int) -> Hold | None:
        """Return what waits as long as the scenario says."""
        return hold_for(runtime, pick_ns)

    def around(self, _frontend: int, _runtime: SimulatedRuntime, ports: FrontendPorts) -> FrontendPorts:
        """Return the ports themselves."""
        return ports

    def around_serve(self, _frontend: int, _runtime: SimulatedRuntime, serve: Serve) -> Serve:
        """Return `serve` unchanged."""
        return serve


IDEAL = IdealMachine()
