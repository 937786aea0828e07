"""Faults that change how many copies of a message arrive: two, or none at all."""

from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from sim.routing.errors import CallError
from sim.routing.fleet import NodeReport
from sim.routing.ports import Backend, Dialer, FrontendPorts, Runtime
from sim.routing.proxy import MadeCall, passing_through, with_calls
from sim.routing.registry import Registry
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from sim.scenario.spec.faults.network import BusLossFault, MessageDuplicateFault
from sim.simulated.faults.base import LastingFault, effect_of
from sim.simulated.faults.interposed import interposed_worker
from sim.simulated.faults.network.on_the_way import never

Spec = TypeVar("Spec", bound=MessageDuplicateFault | BusLossFault)


class _Copies(LastingFault[Spec]):
    """A fault that hits some messages of one node, or of every node."""

    def strikes(self, node: str) -> bool:
        """Draw whether this message is hit, and tell the journal if it is."""
        is_hit = self.spec.node in (None, node) and self.is_active() and self.luck.strikes(self.spec.rate)
        if is_hit:
            self.struck(node)
        return is_hit


@effect_of(MessageDuplicateFault)
class MessageDuplicate(_Copies[MessageDuplicateFault]):
    """Makes calls twice. The second call follows just after the first, and nobody waits for its answer."""

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        async def to_worker(node: str, _name: str, call: MadeCall) -> Any:
            return await self.deliver(node, call, call)

        return replace(
            ports, dialer=_DoublingDialer(ports.dialer, self), worker=interposed_worker(ports.worker, to_worker)
        )

    async def deliver(self, node: str, call: MadeCall, second: MadeCall) -> Any:
        """Make the call, and the second call too if the fault hits."""
        if self.strikes(node):
            self.parts.runtime.spawn(self._deliver_again(second), "a second copy")
        return await call()

    async def predict_again(self, address: str, request: Request) -> None:
        """Make the process serve a copy of the request whose answer nobody hears."""
        await self.parts.runtime.sleep(self.parts.scenario.network.latency_ns)
        process = self.parts.processes.get(address)
        if process is not None:
            await process.predict_again(request)

    async def _deliver_again(self, call: MadeCall) -> None:
        await self.parts.runtime.sleep(0)
        await _quietly(call())


class _DoublingDialer:
    def __init__(self, dialer: Dialer, fault: MessageDuplicate) -> None:
        self._dialer = dialer
        self._fault = fault

    def dial(self, key: ReplicaKey, address: str) -> Backend:
        async def to_process(name: str, args: tuple[Any, ...], call: MadeCall) -> Any:
            # A request's own journal entries are those of its first copy, so the second one is served unseen.
            second = partial(self._fault.predict_again, address, *args) if name == "predict" else call
            return await self._fault.deliver(key.node, call, second)

        return passing_through(self._dialer.dial(key, address), Backend, to_process)


@effect_of(BusLossFault)
class BusLoss(_Copies[BusLossFault]):
    """Loses calls from frontends to workers, which then get no answer, and heartbeats of nodes."""

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        if frontend < 0:
            by_bus = _HeartbeatsByBus(ports.runtime, ports.registry, self, self.spec.delay_ns)
            return replace(ports, registry=with_calls(ports.registry, Registry, heartbeat=by_bus.send))

        async def to_worker(node: str, _name: str, call: MadeCall) -> Any:
            if self.strikes(node):
                await self._be_late()
            return await call()

        return replace(ports, worker=interposed_worker(ports.worker, to_worker))

    async def _be_late(self) -> None:
        if self.spec.delay_ns is None:
            await never(self.parts.runtime)
        else:
            await self.parts.runtime.sleep(self.spec.delay_ns)


class _HeartbeatsByBus:
    """Sends heartbeats without waiting for them: a node sends the next one whatever has become of the last."""

    def __init__(self, runtime: Runtime, registry: Registry, fault: BusLoss, delay_ns: int | None) -> None:
        self._runtime = runtime
        self._registry = registry
        self._fault = fault
        self._delay_ns = delay_ns

    async def send(self, node: str, report: NodeReport) -> None:
        """Send the heartbeat, lose it, or let it arrive late."""
        if not self._fault.strikes(node):
            await self._registry.heartbeat(node, report)
        elif self._delay_ns is not None:
            self._runtime.spawn(self._arrive_late(self._delay_ns, node, report), "late heartbeat")

    async def _arrive_late(self, delay_ns: int, node: str, report: NodeReport) -> None:
        await self._runtime.sleep(delay_ns)
        await _quietly(self._registry.heartbeat(node, report))


async def _quietly(call: Awaitable[Any]) -> None:
    with suppress(CallError):
        await call
