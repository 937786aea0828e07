"""What befalls calls on their way to a node and back."""

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
    """Goes around every call to a process or to a worker, with a say on the way there and on the way back."""

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        """Put the fault between the frontend and all nodes."""

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
        """Make the call; an error is an answer like any other."""
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
        """Let the call's message through to the node."""

    @abstractmethod
    async def back(self, frontend: int, node: str) -> None:
        """Let the answer's message through."""


class Delay(OnTheWay[Lasting], ABC):
    """Holds single messages up, there as well as back."""

    async def there(self, frontend: int, node: str) -> None:
        """Hold the call up."""
        await self.hold_up(node)

    async def back(self, frontend: int, node: str) -> None:
        """Hold the answer up."""
        await self.hold_up(node)

    @abstractmethod
    async def hold_up(self, node: str) -> None:
        """Let a message to the node or from it wait as long as it has to."""


async def never(runtime: Runtime) -> None:
    """Wait for an answer that nobody gives."""
    await runtime.future()
