"""The port of an engine: how a backend process shares its time among the calls that it receives."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any, Protocol, cast

from sim.routing.request import Request
from sim.scenario import ServiceLaw
from sim.scenario.spec.engines import ENGINES, HealthName
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.nodes.work_speed import WorkSpeed


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What the scenario says of a model's engine on one node."""

    workers: int
    """Calls served at a time."""
    health: HealthName
    """What a health call waits for."""
    service_law: ServiceLaw
    """How long the node takes for a request that is served alone, at full speed."""
    has_prefill: bool
    """False where the service law does not say when the first token comes."""
    prompt_cache_blocks: int = 0
    """Blocks of prompts that a process keeps; 0 for none."""


class Service(Protocol):
    """What an engine tells of a request while it serves it, each thing at the instant at which it happens."""

    def begins(self, request: Request) -> None:
        """Its turn has come. Raises a CallError if the process cannot serve it, and the engine lets the call go."""

    def recalled(self, request: Request, blocks: int) -> None:
        """So many blocks at the beginning of its prompt need no prefill: they are cached. Only told by a cache."""

    def first_token(self, request: Request) -> None:
        """It has its first token."""

    def ends(self, request: Request) -> None:
        """It has its last token, or its process has ended before that."""


class Engine(Protocol):
    """Serves calls, each when its turn comes. A caller that leaves takes its call along, whatever stage it is at."""

    async def predict(self, request: Request, service: Service) -> None:
        """Serve the request to its last token."""

    async def health(self) -> None:
        """Wait until a health call is answered."""

    async def in_turn(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do other work, such as loading a model, when its turn comes. What was cached of prompts is gone with it."""

    def is_idle(self) -> bool:
        """Tell whether no work is under way and none waits; a health call that is answered at once is no work."""


NewEngine = Callable[[SimulatedRuntime, EngineSettings, WorkSpeed], Engine]
"""Makes the engine of one process."""


def engine_named(name: str) -> NewEngine:
    """Return what makes engines of that name; KeyError if there is none, which a loaded scenario rules out."""
    return cast("NewEngine", resolve_name(ENGINES[name]))
