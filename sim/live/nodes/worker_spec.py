"""The settings that a worker process gets when it starts."""

from pydantic import Field

from sim.scenario import ModelSpec, NodeSpec
from sim.scenario.spec.base import Spec


class WorkerSpec(Spec):
    """One worker process, as a line of JSON; node and model are written as in a scenario file."""

    node: NodeSpec
    model: ModelSpec
    """How requests and loads are served. The process holds whichever model a load names."""
    time_scale: float = Field(default=1.0, gt=0)
    """Real seconds per second of the scenario."""
    port: int = Field(default=0, ge=0, le=65535)
    """0 has the system choose a free one."""
    holds_model: bool = False
    """Whether the model is there from the start."""
    token: str | None = None
    """Bearer token that every call must carry; None for no check."""
