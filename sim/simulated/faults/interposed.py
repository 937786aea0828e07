"""Ports with a fault between a frontend and its world: it may make a call, delay it, drop it, or fail in its place."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType
from typing import Any, Generic, TypeVar

from sim.routing.errors import CallError
from sim.routing.ports import Backend, Dialer, Runtime, WorkerControl
from sim.routing.proxy import MadeCall, passing_through
from sim.routing.registry import Registry
from sim.routing.replica import ReplicaKey

T = TypeVar("T")

AroundRegistry = Callable[[str, MadeCall], Awaitable[Any]]
"""Given the name of a registry's method and the call itself."""

Leak = Callable[[ReplicaKey, int], None]
"""Is told of counts on a replica's row that nobody will give back."""

AroundBackend = Callable[[ReplicaKey, str, str, MadeCall], Awaitable[Any]]
"""Given the replica, the address, the name of the client's method and the call itself."""

AroundWorker = Callable[[str, str, MadeCall], Awaitable[Any]]
"""Given the node, the name of the worker's method and the call itself."""


def interposed_registry(
    runtime: Runtime, registry: Registry, around: AroundRegistry, leak: Leak, **own: Callable[..., Any]
) -> Registry:
    """Return the registry with `around` in between, and `own` calls in the place of its own.

    Giving back goes through it as a task of its own: nobody waits, and nobody hears of a failure. Taking a lock goes
    through it, letting go of one does not, so that no lock is lost by mistake. `leak` is told of each count that was
    made without its caller's knowing, and of each that was not given back.
    """
    accountant = _Accountant(registry, around, leak)

    def give_back(key: ReplicaKey, count: int) -> None:
        runtime.spawn(accountant.give_back(key, count), "give back")

    interposed: dict[str, Callable[..., Any]] = {
        "give_back": give_back,
        "lock": lambda name: _InterposedLock(registry.lock(name), "lock", around),
        "try_lock": lambda name: _InterposedLock(registry.try_lock(name), "try_lock", around),
    }
    return passing_through(registry, Registry, accountant.make, **{**interposed, **own})


_Counted = Callable[[tuple[Any, ...], Any], Iterable[tuple[ReplicaKey, int]]]
"""Given the arguments of a call and its answer; returns what the call has added to the count of which replica."""

_COUNTED: Mapping[str, _Counted] = {
    "pick": lambda _args, replica: [] if replica is None else [(replica.key, 1)],
    "increment": lambda args, is_there: [(args[0], 1)] if is_there else [],
    "publish": lambda args, _answer: [(args[0], args[2])],
}
"""The awaited calls that add to a count."""


class _Accountant:
    """Makes calls through `around`, and compares what they did with what their callers hear of it."""

    def __init__(self, registry: Registry, around: AroundRegistry, leak: Leak) -> None:
        self._registry = registry
        self._around = around
        self._leak = leak

    async def make(self, name: str, args: tuple[Any, ...], call: MadeCall) -> Any:
        if name == "decrement":
            key, count = args
            return await self._take(name, key, count, call)
        counted = _COUNTED.get(name)
        if counted is None:
            return await self._around(name, call)
        unheard: list[tuple[ReplicaKey, int]] = []

        async def made() -> Any:
            answer = await call()
            unheard.extend(counted(args, answer))
            return answer

        try:
            return await self._around(name, made)
        except GeneratorExit:
            raise  # The run is over.
        except BaseException:
            for key, count in unheard:
                self._leak(key, count)
            raise

    async def give_back(self, key: ReplicaKey, count: int) -> None:
        async def call() -> None:
            self._registry.give_back(key, count)

        with suppress(CallError):
            await self._take("give_back", key, count, call)

    async def _take(self, name: str, key: ReplicaKey, count: int, call: MadeCall) -> None:
        is_made = False

        async def made() -> None:
            nonlocal is_made
            is_made = True
            await call()

        try:
            await self._around(name, made)
        except GeneratorExit:
            raise  # The run is over.
        except BaseException:
            if not is_made:
                self._leak(key, count)
            raise


def interposed_worker(worker: WorkerControl, around: AroundWorker) -> WorkerControl:
    """Return the workers with `around` in between."""

    def to_node(name: str, args: tuple[Any, ...], call: MadeCall) -> Awaitable[Any]:
        # The first argument of each call says where: a node, or a replica and so its node.
        node = args[0].node if isinstance(args[0], ReplicaKey) else args[0]
        return around(node, name, call)

    return passing_through(worker, WorkerControl, to_node)


class InterposedDialer:
    """Makes clients with something in between."""

    def __init__(self, dialer: Dialer, around: AroundBackend) -> None:
        self._dialer = dialer
        self._around = around

    def dial(self, key: ReplicaKey, address: str) -> Backend:
        """Return a client for the process at the address."""

        def to_process(name: str, _args: tuple[Any, ...], call: MadeCall) -> Awaitable[Any]:
            return self._around(key, address, name, call)

        return passing_through(self._dialer.dial(key, address), Backend, to_process)


class _InterposedLock(AbstractAsyncContextManager[T], Generic[T]):
    def __init__(self, lock: AbstractAsyncContextManager[T], name: str, around: AroundRegistry) -> None:
        self._lock = lock
        self._name = name
        self._around = around

    async def __aenter__(self) -> T:
        taken: T = await self._around(self._name, self._lock.__aenter__)
        return taken

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._lock.__aexit__(kind, error, trace)
