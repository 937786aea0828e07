"""Worker nodes on this machine: what really runs where, and the installs that start processes."""

import asyncio
import atexit
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from sim.live.backend import GrpcDialer
from sim.live.runtime import NS_PER_S, AsyncioRuntime
from sim.live.worker_child import WorkerChild
from sim.live.worker_control import serve_installs
from sim.live.worker_spec import WorkerSpec
from sim.routing.errors import CallError, Unavailable
from sim.routing.ports import Journal
from sim.routing.replica import ReplicaKey
from sim.scenario import ModelSpec, NodeSpec

HEALTH_LIMIT_S = 30
"""How long a new process may take to be well. Real seconds: no time scale makes a process start sooner."""

POLL_S = 0.01


class LiveWorkers:
    """All worker nodes behind the install call, and the truth about their processes, by address.

    Use it in `async with`: no process outlives it, not even if this one is killed.
    """

    def __init__(
        self,
        runtime: AsyncioRuntime,
        journal: Journal,
        nodes: Iterable[NodeSpec],
        models: Iterable[ModelSpec],
        report_vram: Callable[[str, int], None],
        token: str | None = None,
    ) -> None:
        self._runtime = runtime
        self._journal = journal
        self._nodes = {node.name: node for node in nodes}
        self._models = {model.name: model for model in models}
        self._report_vram = report_vram
        self._token = token
        self._dialer = GrpcDialer(runtime, journal, token)
        self._children: dict[ReplicaKey, WorkerChild] = {}
        self._following: list[asyncio.Task[None]] = []
        self._locks: defaultdict[ReplicaKey, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._control: asyncio.Server | None = None
        self._is_stopped = False
        atexit.register(self._kill_all)

    async def __aenter__(self) -> Self:
        """Return itself; nothing is started yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        await self.stop_all()

    async def install(self, key: ReplicaKey) -> str:
        """Return the address of the replica's process: at once if it runs, else when it has been started and is well.

        A start takes the install time of the scenario, or what the machine needs if that is more. A caller that leaves
        meanwhile takes the half-started process along.
        """
        install_ns = self._spec(key).model.backend.install_time_ns
        async with self._locks[key]:
            running = self._running(key)
            self._journal.install_started(key, redundant=running is not None)
            if running is not None:
                return running.address
            return await self._start(self._spec(key), key, install_ns)

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
        return any(child.address == address and child.is_running() for child in self._children.values())

    def pids(self) -> list[int]:
        """Return the numbers of the processes that run."""
        return [child.pid for child in self._children.values() if child.is_running()]

    def kill(self, key: ReplicaKey) -> None:
        """Kill the replica's process, as the kernel would; it is gone when this returns."""
        self._child(key).kill()

    async def stop(self, key: ReplicaKey) -> None:
        """Have the replica's process end, and wait until it has."""
        await self._child(key).stop()

    def crash(self, key: ReplicaKey) -> None:
        """Have the process end by itself, soon."""
        self._child(key).order("crash")

    def hang(self, key: ReplicaKey) -> None:
        """Have the process answer nothing any more."""
        self._child(key).order("hang")

    def drop_model(self, key: ReplicaKey) -> None:
        """Have the process hold no model any more."""
        self._child(key).order("drop")

    def answer_for(self, key: ReplicaKey, model: str) -> None:
        """Have the process hold another model."""
        self._child(key).order(f"answer_for {model}")

    async def serve(self, path: Path) -> None:
        """Take installs from other processes too, on a Unix socket at the path, until everything is stopped."""
        self._control = await serve_installs(self, path)

    async def stop_all(self) -> None:
        """Kill every process, and start none any more."""
        if self._control is not None:
            self._control.close()
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
        self._following.append(self._runtime.spawn(child.follow(), f"follow {key}"))
        try:
            limit_ns = int(HEALTH_LIMIT_S * NS_PER_S / self._runtime.time_scale)
            address = await self._runtime.within(limit_ns, self._well_at(key, child))
            await self._runtime.sleep(max(0, begun_ns + least_ns - self._runtime.now_ns()))
            if not child.is_running():
                raise Unavailable(f"the process of {key} ended while it was being installed")
        except BaseException:
            child.kill()
            raise
        return address

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
        if key.node not in self._nodes or key.model not in self._models:
            raise Unavailable(f"no worker answers on {key.node} for {key.model}")
        return WorkerSpec(
            node=self._nodes[key.node],
            model=self._models[key.model],
            time_scale=self._runtime.time_scale,
            port=port,
            holds_model=holds_model,
            token=self._token,
        )

    def _running(self, key: ReplicaKey) -> WorkerChild | None:
        child = self._children.get(key)
        return child if child is not None and child.is_running() else None

    def _child(self, key: ReplicaKey) -> WorkerChild:
        child = self._running(key)
        if child is None:
            raise Unavailable(f"{key} does not run")
        return child

    def _report_held(self, node: str) -> None:
        # A process told to answer for another model is still the one that was sized for its own.
        held = (key for key, child in self._children.items() if key.node == node and child.model is not None)
        held_bytes = sum(self._models[key.model].vram_bytes for key in held)
        self._report_vram(node, self._nodes[node].vram_bytes - held_bytes)
