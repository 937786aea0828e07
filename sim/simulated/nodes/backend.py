"""Backend processes, and the client that reaches them over the network."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from sim.routing.errors import CallError, ModelNotLoaded, Unavailable, WrongModel
from sim.routing.ports import Journal
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from sim.simulated.engines.port import EngineSettings, NewEngine, Service
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.kernel.task import SimTask
from sim.simulated.nodes.work_speed import WorkSpeed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """The settings of a backend process."""

    new_engine: NewEngine
    engine: EngineSettings
    load_time_ns: int


@dataclass(frozen=True, slots=True)
class LoadFailure:
    """A load that fails."""

    cause: str
    after_ns: int
    """Time from the start of the load until it fails."""


class BackendProcess:
    """One process on a node: the model it holds, if any, who calls it, and the engine that serves the calls."""

    def __init__(
        self,
        runtime: SimulatedRuntime,
        journal: Journal,
        key: ReplicaKey,
        address: str,
        settings: ProcessSettings,
        speed: WorkSpeed,
        next_load_failure: Callable[[], LoadFailure | None],
        on_change: Callable[[], None],
    ) -> None:
        self.key = key
        self.address = address
        self.speed = speed
        self.model: str | None = None
        self.engine = settings.new_engine(runtime, settings.engine, speed)
        self._next_load_failure = next_load_failure
        self._runtime = runtime
        self._journal = journal
        # What an engine tells of a request beside its start is for the journal alone.
        self.recalled, self.first_token, self.ends = journal.recalled, journal.first_token, journal.served_until
        self._load_time_ns = settings.load_time_ns
        self._on_change = on_change
        self._callers: dict[SimTask, None] = {}

    @property
    def is_busy(self) -> bool:
        """Whether any call is under way or waits its turn."""
        return bool(self._callers)

    def hold(self, model: str | None) -> None:
        """Hold this model, or none, from now on."""
        self.model = model
        self._on_change()

    def end(self, cause: str) -> None:
        """Break off every call. The caller makes sure that nobody reaches the process any more."""
        self.break_off(f"the process of {self.key} has ended: {cause}")

    def break_off(self, why: str) -> None:
        """Make every running or queued call fail."""
        for caller in list(self._callers):
            caller.interrupt(Unavailable(why))

    async def health(self) -> None:
        """Answer that the process is healthy, when it is this call's turn."""
        caller = self._enter()
        try:
            if not self.speed.is_moving:
                await self.speed.moving()
            await self.engine.health()
        finally:
            del self._callers[caller]

    async def predict(self, request: Request, service: Service | None = None) -> None:
        """Serve the request, and report it to `service` or the journal. A caller that leaves ends its call."""
        caller: SimTask = self._runtime.running
        self._callers[caller] = None
        try:
            if not self.speed.is_moving:
                await self.speed.moving()
            await self.engine.predict(request, service or self)
        finally:
            del self._callers[caller]

    async def predict_again(self, request: Request) -> None:
        """Do the work of a duplicated request without reporting it."""
        await self.predict(request, UnseenService(self))

    async def free(self) -> None:
        """Drop the model, when it is this call's turn."""
        await self.health()
        self.hold(None)

    async def load_model(self, model: str) -> None:
        """Load the model when it is this call's turn, whether it is held already or not."""
        self._journal.load_started(self.key, redundant=self.model == model)
        caller = self._enter()
        try:
            await self.engine.in_turn(lambda: self._load(model))
        finally:
            del self._callers[caller]

    def begins(self, request: Request) -> None:
        """Record the start of service; raises ModelNotLoaded or WrongModel unless the request's model is held."""
        if self.model != request.model:
            raise self.refusal(request.model)
        self._journal.served_from(request)

    def refusal(self, asked_for: str) -> CallError:
        """Return the error for a request of a model that is not held."""
        if self.model is None:
            return ModelNotLoaded(f"{self.key} holds no model")
        return WrongModel(f"{self.key} holds {self.model}, not {asked_for}")

    def _enter(self) -> SimTask:
        caller: SimTask = self._runtime.running
        self._callers[caller] = None
        return caller

    async def _load(self, model: str) -> None:
        failure = self._next_load_failure()
        if failure is not None:
            await self.speed.work(failure.after_ns)
            raise CallError(failure.cause)
        await self.speed.work(self._load_time_ns)
        self.hold(model)


class UnseenService:
    """The service of a duplicated message, which is not reported."""

    def __init__(self, process: BackendProcess) -> None:
        self._process = process

    def begins(self, request: Request) -> None:
        """Raise ModelNotLoaded or WrongModel unless the request's model is held."""
        if self._process.model != request.model:
            raise self._process.refusal(request.model)

    def recalled(self, request: Request, blocks: int) -> None:
        """Ignore it."""

    def first_token(self, request: Request) -> None:
        """Ignore it."""

    def ends(self, request: Request) -> None:
        """Ignore it."""


class Processes(dict[str, BackendProcess]):
    """What runs, by address."""

    def __missing__(self, address: str) -> BackendProcess:
        """Raise Unavailable: whoever asks for the process at an address calls it."""
        raise Unavailable(f"nobody answers at {address}")


class BackendClient:
    """Reaches whatever process runs at an address, with the network's latency each way."""

    __slots__ = ("_address", "_latency_ns", "_processes", "_runtime")

    def __init__(
        self,
        runtime: SimulatedRuntime,
        processes: Processes,
        address: str,
        latency_ns: int,
    ) -> None:
        self._runtime = runtime
        self._processes = processes
        self._address = address
        self._latency_ns = latency_ns

    async def health(self) -> None:
        """Ask whether the process is well."""
        await self._there_and_back(lambda process: process.health())

    def predict(self, request: Request) -> Coroutine[Any, Any, None]:
        """Serve the request to its last token."""
        if not self._latency_ns:
            return self._processes[self._address].predict(request)
        return self._there_and_back(lambda process: process.predict(request))

    async def free(self) -> None:
        """Make the process drop its model."""
        await self._there_and_back(lambda process: process.free())

    async def load_model(self, model: str) -> None:
        """Load the model."""
        await self._there_and_back(lambda process: process.load_model(model))

    async def _there_and_back(self, call: Callable[[BackendProcess], Awaitable[T]]) -> T:
        await self._runtime.sleep(self._latency_ns)
        try:
            answer = await call(self._processes[self._address])
        except CallError:
            await self._runtime.sleep(self._latency_ns)
            raise
        await self._runtime.sleep(self._latency_ns)
        return answer


class SimulatedDialer:
    """Makes one client per address and reuses it. A client has no state of its caller's."""

    def __init__(self, runtime: SimulatedRuntime, processes: Processes, latency_ns: int) -> None:
        self._runtime = runtime
        self._processes = processes
        self._latency_ns = latency_ns
        self._clients: dict[str, BackendClient] = {}

    def dial(self, key: ReplicaKey, address: str) -> BackendClient:
        """Return a client for the address."""
        client = self._clients.get(address)
        if client is None:
            client = BackendClient(self._runtime, self._processes, address, self._latency_ns)
            self._clients[address] = client
        return client
