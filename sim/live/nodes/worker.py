"""Worker nodes on this machine: which processes run where, and the calls that start and end them."""

import asyncio
import atexit
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from sim.live.nodes.backend import GrpcDialer
from sim.live.nodes.from_scenario import worker_spec
from sim.live.nodes.worker_child import WorkerChild
from sim.live.nodes.worker_control import serve_workers
from sim.live.nodes.worker_spec import WorkerSpec
from sim.live.runtime import AsyncioRuntime
from sim.routing.errors import CallError, Unavailable
from sim.routing.fleet import NodeReport
from sim.routing.ports import Journal, RunningProcess
from sim.routing.replica import ReplicaKey
from sim.routing.units import NS_PER_S
from sim.scenario import ModelSpec, NodeSpec

HEALTH_LIMIT_S = 30
"""How long a new process may take to be well. Real seconds: no time scale makes a process start sooner."""

FREE_LIMIT_S = 30
"""How long a process may take to drop its model. The call waits behind running requests."""

POLL_S = 0.01


class LiveWorkers:
    """All worker nodes behind their calls, and the truth about their processes, by address.

    Use it in `async with`: no process outlives it, not even if this one is killed.
    """

    def __init__(
        self,
        runtime: AsyncioRuntime,
        journal: Journal,
        nodes: Iterable[NodeSpec],
        models: Iterable[ModelSpec],
        on_change: Callable[[str, NodeReport], None],
        token: str | None = None,
    ) -> None:
        self._runtime = runtime
        self._journal = journal
        self._nodes = {node.name: node for node in nodes}
        self._models = {model.name: model for model in models}
        self._on_change = on_change
        self.down: dict[str, None] = {}
        """Nodes that answer nothing and start nothing."""
        self._token = token
        self._dialer = GrpcDialer(runtime, journal, token)
        self._children: dict[ReplicaKey, WorkerChild] = {}
        self._up: dict[ReplicaKey, WorkerChild] = {}
        """Processes that have started and are not being stopped, in the order of their starts."""
        self._following: list[asyncio.Task[None]] = []
        self._locks: defaultdict[ReplicaKey, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._control: asyncio.Server | None = None
        self._is_stopped = False
        atexit.register(self._kill_all)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop_all()

    async def install(self, key: ReplicaKey) -> str:
        """Return the address of the replica's process, at once if it runs, else when it has started and is healthy.

        A start takes the install time of the scenario, or what the machine needs if that is more. A caller that leaves
        meanwhile ends the half-started process.
        """
        spec, install_ns = self._spec(key), self._models[key.model].backend.install_time_ns
        async with self._locks[key]:
            running = self._running(key)
            self._journal.install_started(key, redundant=running is not None)
            if running is not None:
                return running.address
            return await self._start(spec, key, install_ns)

    async def stop(self, key: ReplicaKey) -> None:
        """End the replica's process, and wait until it has ended. Does nothing if it does not run."""
        self._check_node(key.node)
        if key not in self._up:
            return
        # Under the lock, so that a concurrent install starts a new process instead of returning this one.
        async with self._locks[key]:
            child = self._up.pop(key, None)
            if child is None:
                return
            try:
                await child.stop()
            finally:
                self._journal.process_ended(key, child.address, "stopped")

    async def unload(self, node: str, model: str) -> None:
        """Make the first process of the node drop its model: the call names no address. The process does not end.

        Raises the CallError of a process that does not do so, DeadlineExceeded after FREE_LIMIT_S.
        """
        self._check_node(node)
        first = next(((key, child) for key, child in self._up.items() if key.node == node), None)
        if first is not None:
            key, child = first
            await self._runtime.within(self._limit_ns(FREE_LIMIT_S), self._dialer.dial(key, child.address).free())

    async def processes(self, node: str) -> Sequence[RunningProcess]:
        """List the processes of the node."""
        self._check_node(node)
        return [
            RunningProcess(key, child.address)
            for key, child in self._up.items()
            if key.node == node and child.is_running()
        ]

    async def start(self, key: ReplicaKey, port: int = 0) -> str:
        """Start the replica's process, with no model yet, and return its address when it is well."""
        async with self._locks[key]:
            return await self._start(self._spec(key, port=port), key)

    async def start_loaded(self, key: ReplicaKey, port: int = 0) -> str:
        """Start the replica's process with its model already loaded, and return its address when it is well."""
        async with self._locks[key]:
            return await self._start(self._spec(key, port=port, holds_model=True), key)

    def is_alive(self, address: str) -> bool:
        """Tell whether a process of ours runs at the address."""
        return address in self.addresses()

    def addresses(self) -> list[str]:
        """Return the addresses of the running processes."""
        return [child.address for child in self._children.values() if child.address and child.is_running()]

    def kill(self, key: ReplicaKey, cause: str = "killed") -> None:
        """Kill the replica's process, as the kernel would; it is gone when this returns."""
        child = self._child(key)
        child.kill()
        self._ended(key, child, cause)

    def order(self, key: ReplicaKey, line: str) -> None:
        """Send the replica's process one of the orders that `sim.live.nodes.worker_process` lists."""
        self._child(key).order(line)

    def pid(self, key: ReplicaKey) -> int:
        """Return the number of the replica's process."""
        return self._child(key).pid

    def keys_on(self, node: str) -> list[ReplicaKey]:
        """Return the replicas whose processes run on the node."""
        return [key for key, child in self._children.items() if key.node == node and child.is_running()]

    def report(self, node: str) -> NodeReport:
        """Return what a heartbeat of the node says."""
        # A process told to answer for another model is still the one that was sized for its own.
        held = (key for key, child in self._children.items() if key.node == node and child.model is not None)
        held_bytes = sum(self._models[key.model].vram_bytes for key in held)
        return NodeReport(available_vram_bytes=self._nodes[node].vram_bytes - held_bytes)

    def crash(self, key: ReplicaKey) -> None:
        """Make the process end by itself, soon."""
        self.order(key, "crash")

    def hang(self, key: ReplicaKey) -> None:
        """Make the process stop answering."""
        self.order(key, "hang")

    def drop_model(self, key: ReplicaKey) -> None:
        """Make the process drop its model."""
        self.order(key, "drop")

    def answer_for(self, key: ReplicaKey, model: str) -> None:
        """Make the process hold another model."""
        self.order(key, f"answer_for {model}")

    async def serve(self, path: Path) -> None:
        """Also take calls from other processes, on a Unix socket at the path, until everything is stopped."""
        self._control = await serve_workers(self, path)

    async def stop_all(self) -> None:
        """Kill every process, and start none any more."""
        if self._control is not None:
            self._control.close()
        # Their end is not reported: the world ends with them.
        self._up.clear()
        self._kill_all()
        atexit.unregister(self._kill_all)
        await asyncio.gather(*self._following)
        await self._dialer.close()

    def _kill_all(self) -> None:
        self._is_stopped = True
        for child in self._children.values():
            child.kill()

    async def _start(self, spec: WorkerSpec, key: ReplicaKey, least_ns: int = 0) -> str:
        if self._running(key) is not None:
            raise ValueError(f"{key} runs already")
        if self._is_stopped:
            raise Unavailable(f"the worker on {key.node} has been stopped")
        begun_ns = self._runtime.now_ns()
        child = WorkerChild(spec, on_change=lambda: self._report_held(key.node))
        self._children[key] = child
        self._following.append(self._runtime.spawn(self._follow(key, child), f"follow {key}"))
        try:
            address = await self._runtime.within(self._limit_ns(HEALTH_LIMIT_S), self._well_at(key, child))
            await self._runtime.sleep(max(0, begun_ns + least_ns - self._runtime.now_ns()))
            if not child.is_running():
                raise Unavailable(f"the process of {key} ended while it was being installed")
        except BaseException:
            child.kill()
            raise
        self._up[key] = child
        return address

    async def _follow(self, key: ReplicaKey, child: WorkerChild) -> None:
        await child.follow()
        self._ended(key, child, "ended")

    def _ended(self, key: ReplicaKey, child: WorkerChild, cause: str) -> None:
        """Report the process's end, unless that has been done or its start was never reported."""
        if self._up.get(key) is child:
            del self._up[key]
            self._journal.process_ended(key, child.address, cause)

    async def _well_at(self, key: ReplicaKey, child: WorkerChild) -> str:
        address = await child.listens()
        while True:
            try:
                await self._dialer.dial(key, address).health()
                return address
            except CallError:
                if not child.is_running():
                    raise
            await asyncio.sleep(POLL_S)

    def _spec(self, key: ReplicaKey, port: int = 0, holds_model: bool = False) -> WorkerSpec:
        self._check_node(key.node)
        if key.model not in self._models:
            raise Unavailable(f"no worker answers on {key.node} for {key.model}")
        node, model = self._nodes[key.node], self._models[key.model]
        return worker_spec(node, model, self._runtime.time_scale, port, holds_model, self._token)

    def _check_node(self, node: str) -> None:
        if node not in self._nodes or node in self.down:
            raise Unavailable(f"no worker answers on {node}")

    def _limit_ns(self, limit_s: int) -> int:
        """Convert real seconds to scenario time."""
        return int(limit_s * NS_PER_S / self._runtime.time_scale)

    def _running(self, key: ReplicaKey) -> WorkerChild | None:
        child = self._children.get(key)
        return child if child is not None and child.is_running() else None

    def _child(self, key: ReplicaKey) -> WorkerChild:
        child = self._running(key)
        if child is None:
            raise Unavailable(f"{key} does not run")
        return child

    def _report_held(self, node: str) -> None:
        self._on_change(node, self.report(node))
