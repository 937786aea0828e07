"""What a request does in one version of the router, step by step: each call on a port, and the locks held meanwhile.

A line reads `who: step`, or `who: step [locks]` while the frontend's locks of these names are held.
"""

from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, cast

from sim.routing.errors import CallError
from sim.routing.frontend import FrontendCore, build_frontend
from sim.routing.outcomes import Outcome, ProbeOutcome
from sim.routing.ports import FrontendPorts, Journal, Task
from sim.routing.registry import Registry
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from sim.scenario import RouterSpec
from sim.simulated.kernel.runtime import SimulatedRuntime
from tests.drivers import FAR_NS
from tests.twins import MODEL, MemoryBackend, MemoryRegistry, MemoryWorld

_asker: ContextVar[int] = ContextVar("the request for whose sake something is done")


class StoryWorld(MemoryWorld):
    """Nodes `a`, `b` ... with a replica each, and one frontend of a profile. Nothing takes time unless told to."""

    def __init__(self, profile: str, nodes: str = "a", **router: Any) -> None:
        """`router` says where the frontend differs from its profile."""
        super().__init__(SimulatedRuntime(), dict.fromkeys(nodes, 1))
        self.lines: list[str] = []
        self.failing: set[str] = set()
        """Calls of the registry that fail, by name."""
        self.failure: type[CallError] = CallError
        """With which error they do so."""
        self._locks: dict[int, list[str]] = {}
        self.settings = RouterSpec.model_validate({"profile": profile, **router}).settings()
        self.processes = {node: self.bring_up(node) for node in nodes}
        self._frontend = build_frontend(self.settings, self.ports(), {})

    def frontend(self) -> FrontendCore:
        """Return the one frontend."""
        return self._frontend

    def ports(self) -> FrontendPorts:
        """Return the twins' ports, with every call told."""
        ports = super().ports()
        return replace(ports, registry=cast("Registry", _ToldRegistry(self)), journal=_Listener(self))

    def dial(self, key: ReplicaKey, address: str) -> Any:
        return _ToldClient(self, key, address)

    async def stop(self, key: ReplicaKey) -> None:
        """End the replica's process."""
        self.tell(f"stop {key}")
        self.backends.pop(self._address(key), None)

    def kill(self, node: str) -> None:
        """End the process on the node, without anybody's knowledge."""
        del self.backends[self._address(ReplicaKey(node, MODEL, 0))]

    def send(self, number: int) -> Task:
        """Have the request of that number arrive now."""
        token = _asker.set(number)
        now_ns = self.runtime.now_ns()
        task = self.runtime.spawn(self._frontend.serve(Request(number, MODEL, 0, 0, now_ns)), f"request {number}")
        _asker.reset(token)
        return task

    def play(self, story: Callable[[], Coroutine[Any, Any, None]]) -> list[str]:
        """Run the story and all that follows from it, and return what was told."""
        runtime = self.runtime
        assert isinstance(runtime, SimulatedRuntime)
        runtime.spawn(story(), "story")
        runtime.run_tasks(FAR_NS)
        return self.lines

    def steps(self, number: int) -> list[str]:
        """Return what one request did."""
        return [line.partition(": ")[2] for line in self.lines if line.startswith(f"{number}: ")]

    def tell(self, step: str, asker: int | None = None) -> None:
        """Write a line."""
        number = _asker.get() if asker is None else asker
        locks = ", ".join(self._locks.get(number, []))
        self.lines.append(f"{number}: {step} [{locks}]" if locks else f"{number}: {step}")

    def take(self, number: int, lock: str) -> None:
        self._locks.setdefault(number, []).append(lock)

    def release(self, number: int, lock: str) -> None:
        self._locks[number].remove(lock)

    def in_flight(self) -> dict[str, int]:
        """Return the count of each row."""
        assert isinstance(self.registry, MemoryRegistry)
        return {str(key): row.in_flight for key, row in self.registry.rows.items()}


class _ToldRegistry:
    """The twin's calls, each told before it is made; those that are to fail do so."""

    def __init__(self, world: StoryWorld) -> None:
        self._world = world

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._world.registry, name)

        def told(*args: Any) -> Any:
            count = f" {args[1]}" if name in ("decrement", "give_back") else ""
            self._world.tell(f"{name}{count}")
            if name in self._world.failing:
                raise self._world.failure("the transaction was aborted")
            return call(*args)

        return told


class _ToldClient:
    def __init__(self, world: StoryWorld, key: ReplicaKey, address: str) -> None:
        self._world = world
        self._key = key
        self._address = address

    async def health(self) -> None:
        await self._call("health")

    async def free(self) -> None:
        await self._call("free")

    async def predict(self, request: Request) -> None:
        await self._call("predict", request)

    async def load_model(self, model: str) -> None:
        await self._call("load_model", model)

    async def _call(self, name: str, *args: Any) -> None:
        self._world.tell(f"{name} {self._key}")
        client: MemoryBackend = MemoryWorld.dial(self._world, self._key, self._address)
        await getattr(client, name)(*args)


class _Listener(Journal):
    def __init__(self, world: StoryWorld) -> None:
        self._world = world

    def lock_taken(self, request: Request, lock: str) -> None:
        self._world.take(request.id, lock)
        self._world.tell("locked", request.id)

    def lock_released(self, request: Request, lock: str) -> None:
        self._world.tell("unlocked", request.id)
        self._world.release(request.id, lock)

    def checked(self, request: Request, key: ReplicaKey, address: str, started_ns: int, outcome: ProbeOutcome) -> None:
        self._world.tell(f"checked: {outcome.name}", request.id)

    def row_removed(self, key: ReplicaKey, address: str, cause: str, request: Request | None) -> None:
        self._world.tell(f"row of {key} removed")

    def ended(self, request: Request, outcome: Outcome, cause: str) -> None:
        self._world.tell(f"{outcome.name} {cause}".strip(), request.id)
