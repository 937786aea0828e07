"""In-memory twins of the ports, without a network or a database, that work under either driver."""

from collections.abc import Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any, cast

from sim.routing.errors import CallError, Unavailable
from sim.routing.fleet import Fleet, Node, NodeStatus, ReplicaRow, RowState
from sim.routing.frontend import FrontendCore, build_frontend
from sim.routing.outcomes import Answer, Outcome, ProbeOutcome
from sim.routing.policies.choose import Choose
from sim.routing.ports import FrontendPorts, Future, Journal, Runtime, WorkerControl
from sim.routing.proxy import calls_of
from sim.routing.registry import Registry, RowChange
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request
from sim.routing.settings import ProbeSettings
from sim.scenario import RouterSpec

MS = 1_000_000
MODEL = "m"


class ListJournal(Journal):
    """Keeps what it is told, as short tuples in the order of the telling."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def of(self, *kinds: str) -> list[tuple[Any, ...]]:
        """Return the entries of these kinds."""
        return [entry for entry in self.told if entry[0] in kinds]

    def arrived(self, request: Request) -> None:
        self.told.append(("arrived", request.id))

    def picked(self, request: Request, replica: Replica, remembered: Answer | None) -> None:
        self.told.append(("picked", request.id, str(replica.key), replica.in_flight))
        if remembered is not None:
            self.vouched(request, remembered)

    def vouched(self, request: Request, answer: Answer) -> None:
        self.told.append(("vouched", request.id, answer.alive, answer.source.name))

    def probed(
        self, request: Request | None, key: ReplicaKey, address: str, started_ns: int, outcome: ProbeOutcome
    ) -> None:
        self.told.append(("probed", str(key), outcome.name))

    def checked(self, request: Request, key: ReplicaKey, address: str, started_ns: int, outcome: ProbeOutcome) -> None:
        self.told.append(("checked", request.id, str(key), outcome.name))

    def lock_taken(self, request: Request, lock: str) -> None:
        self.told.append(("lock_taken", request.id, lock))

    def lock_released(self, request: Request, lock: str) -> None:
        self.told.append(("lock_released", request.id, lock))

    def routed(self, request: Request, key: ReplicaKey) -> None:
        self.told.append(("routed", request.id, str(key)))

    def recalled(self, request: Request, blocks: int) -> None:
        self.told.append(("recalled", request.id, blocks))

    def served_from(self, request: Request) -> None:
        self.told.append(("served_from", request.id))

    def first_token(self, request: Request) -> None:
        self.told.append(("first_token", request.id))

    def served_until(self, request: Request) -> None:
        self.told.append(("served_until", request.id))

    def retried(self, request: Request, key: ReplicaKey, cause: str) -> None:
        self.told.append(("retried", request.id, str(key), cause))

    def ended(self, request: Request, outcome: Outcome, cause: str) -> None:
        self.told.append(("ended", request.id, outcome.name, cause))

    def left_behind(self, key: ReplicaKey, count: int) -> None:
        self.told.append(("left_behind", str(key), count))

    def row_published(self, key: ReplicaKey, cause: str) -> None:
        self.told.append(("row_published", str(key), cause))

    def row_removed(self, key: ReplicaKey, address: str, cause: str, request: Request | None) -> None:
        self.told.append(("row_removed", str(key), cause))

    def install_started(self, key: ReplicaKey, redundant: bool) -> None:
        self.told.append(("install_started", str(key), redundant))

    def load_started(self, key: ReplicaKey, redundant: bool) -> None:
        self.told.append(("load_started", str(key), redundant))

    def load_ended(self, key: ReplicaKey, failure: str) -> None:
        self.told.append(("load_ended", str(key), failure))

    def lock_waited(self, wait_ns: int) -> None:
        self.told.append(("lock_waited",))

    def process_ended(self, key: ReplicaKey, address: str, cause: str) -> None:
        self.told.append(("process_ended", str(key), cause))

    def node_changed(self, node: str, status: NodeStatus, cause: str) -> None:
        self.told.append(("node_changed", node, status, cause))

    def scaled(self, model: str, replicas: int, cause: str) -> None:
        self.told.append(("scaled", model, replicas, cause))

    def fault_struck(self, kind: str, place: str) -> None:
        self.told.append(("fault_struck", kind, place))


class MemoryRegistry:
    """Rows in a dict, and what requests ask of a registry; every call takes effect at once."""

    def __init__(self, runtime: Runtime, slots: dict[str, int]) -> None:
        self.rows: dict[ReplicaKey, Replica] = {}
        self.counts: list[int] = []
        self.exchanged: list[Mapping[str, RowChange]] = []
        self.exchange_error: CallError | None = None
        self._states: dict[ReplicaKey, RowState] = {}
        self._runtime = runtime
        self._slots = slots
        self._ids = count()
        self._queues: dict[str, list[Future[None]]] = {}

    def put(
        self, key: ReplicaKey, address: str, in_flight: int = 0, vram: int = 0, state: RowState = RowState.LOADED
    ) -> None:
        """Write a row."""
        self.rows[key] = Replica(f"row-{next(self._ids):03d}", key, address, in_flight, 0, vram)
        self._states[key] = state

    async def pick(self, model: str, choose: Choose) -> Replica | None:
        best = choose([row for key, row in self.rows.items() if self._may_be_picked(key, model, choose.nodes)])
        if best is None:
            return None
        as_read = Replica(best.id, best.key, best.address, best.in_flight, best.last_used_ns, 0)
        self._count(best, 1)
        return as_read

    async def increment(self, key: ReplicaKey) -> bool:
        if key not in self.rows:
            return False
        self._count(self.rows[key], 1)
        return True

    def give_back(self, key: ReplicaKey, count: int) -> None:
        for _ in range(count):
            if key in self.rows and self.rows[key].in_flight > 0:
                self._count(self.rows[key], -1)

    async def decrement(self, key: ReplicaKey, count: int) -> None:
        self.give_back(key, count)

    async def touch(self, key: ReplicaKey) -> None:
        if key in self.rows:
            self.rows[key].last_used_ns += 1

    async def exchange(self, model: str, changes: Mapping[str, RowChange]) -> list[Replica]:
        self.exchanged.append(changes)
        if self.exchange_error is not None:
            raise self.exchange_error
        for row in self.rows.values():
            if row.id in changes:
                self._count(row, changes[row.id].added)
        return [replace(row) for key, row in self.rows.items() if self._may_be_picked(key, model, ())]

    async def publish(
        self, key: ReplicaKey, address: str, in_flight: int, state: RowState = RowState.LOADED, revision: str = ""
    ) -> None:
        self.put(key, address, in_flight, state=state)

    async def remove(self, key: ReplicaKey) -> bool:
        return self.rows.pop(key, None) is not None

    async def fleet(self) -> Fleet:
        nodes = [_node(name, slots) for name, slots in sorted(self._slots.items())]
        rows = [
            ReplicaRow(row.id, key, row.address, self._states[key], row.in_flight, row.last_used_ns, row.last_used_ns)
            for key, row in self.rows.items()
        ]
        return Fleet(nodes, rows, loadable={}, cooldowns={})

    async def evict(self, choose: Callable[[Fleet], ReplicaRow | None]) -> ReplicaRow | None:
        chosen = choose(await self.fleet())
        if chosen is not None:
            del self.rows[chosen.key]
        return chosen

    @asynccontextmanager
    async def lock(self, name: str) -> Any:
        queue = self._queues.setdefault(name, [])
        turn = self._runtime.future()
        queue.append(turn)
        if len(queue) > 1:
            await turn
        try:
            yield
        finally:
            queue.pop(0)
            if queue:
                queue[0].set_result(None)

    def __getattr__(self, call: str) -> Callable[..., Any]:
        """Stand for the other calls, which no request leads to."""
        if call in calls_of(Registry):
            return partial(_is_not_called, call)
        raise AttributeError(call)

    def _may_be_picked(self, key: ReplicaKey, model: str, nodes: Collection[str]) -> bool:
        is_among = not nodes or key.node in nodes
        return key.model == model and self._states[key] is RowState.LOADED and is_among

    def _count(self, row: Replica, by: int) -> None:
        row.in_flight += by
        row.last_used_ns += by > 0
        self.counts.append(row.in_flight)


def _is_not_called(call: str, *_args: Any) -> None:
    raise AssertionError(f"{call} is not for requests")


def _node(name: str, slots: int) -> Node:
    return Node(
        name=name,
        status=NodeStatus.HEALTHY,
        address="",
        slots=slots,
        labels={},
        heartbeat_ns=0,
        available_vram_bytes=0,
        reserved_vram_bytes=0,
        total_disk_bytes=0,
        available_disk_bytes=0,
    )


class MemoryBackend:
    """A process whose calls take set times and end in set ways."""

    def __init__(self, runtime: Runtime) -> None:
        self.health_ns = 0
        self.predict_ns = 0
        self.health_error: CallError | None = None
        self.predict_error: CallError | None = None
        self.load_error: CallError | None = None
        self.loads = 0
        self._runtime = runtime

    async def health(self) -> None:
        await self._runtime.sleep(self.health_ns)
        if self.health_error:
            raise self.health_error

    async def predict(self, request: Request) -> None:
        await self._runtime.sleep(self.predict_ns)
        if self.predict_error:
            raise self.predict_error

    async def free(self) -> None:
        await self._runtime.sleep(self.health_ns)

    async def load_model(self, model: str) -> None:
        self.loads += 1
        await self._runtime.sleep(5 * MS)
        if self.load_error:
            raise self.load_error


PLAIN: Mapping[str, Any] = {
    "profile": "fixed",
    "liveness": "none",
    "failure_domain": "replica",
    "cancellation": "propagated",
    "reservation": "request_scope",
    "on_wrong_model": "remove_row",
}
"""The fix without what goes on around its router."""

SHORT_PROBES = ProbeSettings(
    ttl_ns=60_000 * MS, timeout_ns=50 * MS, sharing="leader_owned", on_timeout="remove_row", refreshed_by="probes"
)
"""As of the fix, but with a limit that asyncio can wait for."""


class MemoryWorld:
    """Nodes with processes, a registry, and frontends on top."""

    def __init__(
        self,
        runtime: Runtime,
        slots: dict[str, int],
        router: Mapping[str, Any] | None = None,
        **probe: Any,
    ) -> None:
        """`router` says how the frontends differ from PLAIN, and `probe` how their probes differ from SHORT_PROBES."""
        self.runtime = runtime
        self.journal = ListJournal()
        self.registry = MemoryRegistry(runtime, slots)
        self.backends: dict[str, MemoryBackend] = {}
        settings = RouterSpec.model_validate({**PLAIN, **(router or {})}).settings()
        self.settings = replace(settings, probe=replace(SHORT_PROBES, **probe))

    def bring_up(self, node: str, vram: int = 0) -> MemoryBackend:
        """Start a process with the model loaded, and its row."""
        key = ReplicaKey(node, MODEL, 0)
        self.registry.put(key, self._address(key), vram=vram)
        return self._start(key)

    def frontend(self) -> FrontendCore:
        """Put a frontend together, with caches of its own."""
        return build_frontend(self.settings, self.ports(), {})

    def ports(self) -> FrontendPorts:
        """Return what a frontend reaches the world through."""
        # Registry and worker have the calls that requests lead to; those of the loops are not needed here.
        registry, worker = cast("Registry", self.registry), cast("WorkerControl", self)
        return FrontendPorts(self.runtime, registry, self, worker, self.journal)

    def dial(self, key: ReplicaKey, address: str) -> Any:
        return _Client(self.backends, address)

    async def install(self, key: ReplicaKey) -> str:
        running = self._address(key) in self.backends
        self.journal.install_started(key, running)
        if not running:
            await self.runtime.sleep(MS)
            self._start(key)
        return self._address(key)

    def _start(self, key: ReplicaKey) -> MemoryBackend:
        backend = self.backends[self._address(key)] = MemoryBackend(self.runtime)
        return backend

    def _address(self, key: ReplicaKey) -> str:
        return f"{key}:1"


class _Client:
    def __init__(self, backends: dict[str, MemoryBackend], address: str) -> None:
        self._backends = backends
        self._address = address

    def __getattr__(self, call: str) -> Callable[..., Any]:
        backend = self._backends.get(self._address)
        if backend is None:
            raise Unavailable(f"nobody answers at {self._address}")
        answer: Callable[..., Any] = getattr(backend, call)
        return answer


def request(number: int) -> Request:
    """Make the request of that number."""
    return Request(number, MODEL, 0, 0, 0, 0, 0, 0)
