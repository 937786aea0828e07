"""What goes when a replica turns out to be gone: that replica alone, or its model on every node."""

from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from sim.routing.client_cache.kept import KeptClients
from sim.routing.errors import CallError
from sim.routing.fleet import Fleet, ReplicaRow
from sim.routing.ports import FrontendPorts, Runtime
from sim.routing.request import Request
from sim.routing.request_path.route import Route
from sim.routing.units import NS_PER_MS, NS_PER_S

UNLOADED = "model_unloaded"
"""The cause of the removal of rows."""


class FailureDomain(Protocol):
    """Gives up what is lost with a replica."""

    async def give_up(self, request: Request) -> None:
        """Give up the request's model as far as the domain reaches; the caller holds whatever lock that takes."""


class OneReplica:
    """Only the frontend's own client goes; the registry's row is left to the next probe. Repaired."""

    def __init__(self, clients: KeptClients) -> None:
        self._clients = clients

    async def give_up(self, request: Request) -> None:
        """Forget the client."""
        self._clients.forget(request.model)


@dataclass(frozen=True, slots=True)
class UnloadRules:
    """How an unload proceeds; the versions differ."""

    until_idle: Callable[[Runtime, Route], Coroutine[Any, Any, None]]
    """Waits for the kept client."""
    free_limit_ns: int | None
    """How long its process may take to drop the model; None for no limit."""
    needs_client: bool
    """Whether nothing is unloaded where no client is kept."""


class WholeModel:
    """The model is unloaded on every node that serves it. LocalAI's way, in all versions."""

    def __init__(self, ports: FrontendPorts, clients: KeptClients, rules: UnloadRules) -> None:
        self._ports = ports
        self._clients = clients
        self._rules = rules

    async def give_up(self, request: Request) -> None:
        """Wait until the kept client is idle, free its process, stop the others and delete all rows.

        Only nodes that are healthy and have a loaded row are asked; there every row of the model goes, in any state.
        """
        client = self._clients.newest(request.model)
        if client is None and self._rules.needs_client:
            return
        if client is not None:
            await self._rules.until_idle(self._ports.runtime, client.route)
            await self._free(client.route)
        await unload_everywhere(self._ports, request.model, request)
        self._clients.forget(request.model)

    async def _free(self, route: Route) -> None:
        freeing, limit_ns = route.to.backend.free(), self._rules.free_limit_ns
        with suppress(CallError):
            await (freeing if limit_ns is None else self._ports.runtime.within(limit_ns, freeing))


async def unload_everywhere(ports: FrontendPorts, model: str, request: Request | None) -> None:
    """Stop the model's processes and delete its rows, for the request's sake if one is given.

    Nobody waits for a process to end, and a worker that does not answer is not asked again. If the registry cannot be
    read, nothing is unloaded.
    """
    with suppress(CallError):
        for row in rows_to_unload(await ports.registry.fleet(), model):
            ports.runtime.spawn(_stop(ports, row), f"stop {row.key}")
            with suppress(CallError):
                if await ports.registry.remove(row.key):
                    ports.journal.row_removed(row.key, row.address, UNLOADED, request)


async def _stop(ports: FrontendPorts, row: ReplicaRow) -> None:
    with suppress(CallError):
        await ports.worker.stop(row.key)


def rows_to_unload(fleet: Fleet, model: str) -> Iterable[ReplicaRow]:
    """Return the model's rows, in any state, on the healthy nodes that have it loaded; by node, then by id."""
    rows = fleet.rows_of(model)
    for node in fleet.healthy_nodes():
        there = [row for row in rows if row.key.node == node.name]
        if any(row.is_loaded for row in there):
            yield from there


async def until_it_seems_idle(runtime: Runtime, route: Route) -> None:
    """Look after 2, 4, 6 ... s, up to 2 min apart, for as long as it takes."""
    pause_ns = 0
    while route.seems_busy:
        pause_ns = min(pause_ns + 2 * NS_PER_S, 120 * NS_PER_S)
        await runtime.sleep(pause_ns)


async def until_it_is_idle(runtime: Runtime, route: Route) -> None:
    """Look every 100 ms."""
    while route.calls:
        await runtime.sleep(100 * NS_PER_MS)


PATIENT = UnloadRules(until_it_seems_idle, free_limit_ns=None, needs_client=True)
"""Before 2026-07-19 nothing limits an unload, and it begins with a client of the frontend's own."""

BOUNDED = UnloadRules(until_it_is_idle, free_limit_ns=5 * NS_PER_S, needs_client=False)
"""Since then."""

UNLOAD_LIMIT_NS = 30 * NS_PER_S
"""How long an unload may take since then, the wait for its lock included."""
