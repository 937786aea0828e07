"""Faults that act on calls on their way to a node and back."""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

from sim.routing.errors import CallError
from sim.routing.ports import FrontendPorts, Runtime
from sim.routing.proxy import MadeCall
from sim.routing.replica import ReplicaKey
from sim.simulated.faults.base import Lasting, LastingFault
from sim.simulated.faults.interposed import InterposedDialer, interposed_worker


class OnTheWay(LastingFault[Lasting], ABC):
    """A fault around every call to a process or to a worker: once on the way there, once on the way back."""

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        async def to_process(key: ReplicaKey, _address: str, _name: str, call: MadeCall) -> Any:
            return await self.carry(frontend, key.node, call)

        async def to_worker(node: str, _name: str, call: MadeCall) -> Any:
            return await self.carry(frontend, node, call)

        return replace(
            ports,
            dialer=InterposedDialer(ports.dialer, to_process),
            worker=interposed_worker(ports.worker, to_worker),
        )

    async def carry(self, frontend: int, node: str, call: MadeCall) -> Any:
        """Make the call. An error comes back the same way as an answer."""
        await self.there(frontend, node)
        try:
            answer = await call()
        except CallError:
            await self.back(frontend, node)
            raise
        await self.back(frontend, node)
        return answer

    @abstractmethod
    async def there(self, frontend: int, node: str) -> None:
        """Let the call through to the node: at once, later, or never."""

    @abstractmethod
    async def back(self, frontend: int, node: str) -> None:
        """Let the answer through to the frontend: at once, later, or never."""


class Delay(OnTheWay[Lasting], ABC):
    """A fault that delays single messages, in both directions."""

    async def there(self, frontend: int, node: str) -> None:
        await self.hold_up(node)

    async def back(self, frontend: int, node: str) -> None:
        await self.hold_up(node)

    @abstractmethod
    async def hold_up(self, node: str) -> None:
        """Delay a message to or from the node."""


async def never(runtime: Runtime) -> None:
    """Wait for an answer that nobody gives."""
    await runtime.future()
