"""The fault of reading the registry from a copy that lags behind."""

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from sim.routing.fleet import Fleet, Node, ReplicaRow, capacity_of
from sim.routing.policies.choose import AnyReplica, Choose
from sim.routing.ports import FrontendPorts
from sim.routing.proxy import with_calls
from sim.routing.registry import Registry
from sim.routing.replica import Replica, ReplicaKey
from sim.scenario.spec.faults.registry import StaleReadsFault
from sim.simulated.faults.base import LastingFault, Luck, effect_of
from sim.simulated.faults.registry.transactions import caller
from sim.simulated.parts import Parts

_STEPS = 10
"""Number of readings that are kept within the age of the copy."""
_LEAST_STEP_NS = 1_000_000

OldFleet = Callable[[], Fleet | None]
"""Returns the fleet as it was; None while the fault is not active."""


@effect_of(StaleReadsFault)
class StaleReads(LastingFault[StaleReadsFault]):
    """Keeps readings of the fleet until they are old enough to be shown.

    They are taken in steps, so that what is read is as old as the spec says, or up to a tenth older.
    """

    def __init__(self, spec: StaleReadsFault, parts: Parts, luck: Luck) -> None:
        super().__init__(spec, parts, luck)
        self._readings: deque[tuple[int, Fleet]] = deque()

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        """Make the frontend choose and read by the old state, and write to the present one."""
        if self.spec.frontend not in (None, frontend):
            return ports
        place = caller(frontend)
        behind = _RegistryBehind(ports.registry, lambda: self._old_fleet(place))
        registry = with_calls(ports.registry, Registry, pick=behind.pick, fleet=behind.fleet)
        return replace(ports, registry=registry)

    async def happen(self) -> None:
        """Take readings, from the oldest that will be needed until the fault ends."""
        await self.sleep_until(self.spec.at_ns - self.spec.age_ns)
        step_ns = max(self.spec.age_ns // _STEPS, _LEAST_STEP_NS)
        ends_ns = None if self.spec.lasts_ns is None else self.spec.at_ns + self.spec.lasts_ns
        while ends_ns is None or self.parts.runtime.now_ns() < ends_ns:
            self._readings.append((self.parts.runtime.now_ns(), self.parts.database.read()))
            self._drop_what_is_too_old()
            await self.parts.runtime.sleep(step_ns)

    def _old_fleet(self, place: str) -> Fleet | None:
        if not self._readings or not self.is_active():
            return None
        self._drop_what_is_too_old()
        self.struck(place)
        return self._readings[0][1]

    def _drop_what_is_too_old(self) -> None:
        before_ns = self.parts.runtime.now_ns() - self.spec.age_ns
        while len(self._readings) > 1 and self._readings[1][0] <= before_ns:
            self._readings.popleft()


class _RegistryBehind:
    """The two calls that read."""

    def __init__(self, registry: Registry, old_fleet: OldFleet) -> None:
        self._registry = registry
        self._old_fleet = old_fleet

    async def pick(self, model: str, choose: Choose) -> Replica | None:
        """Choose by the old state, and count the request on the row of today if it is still there."""
        old = self._old_fleet()
        if old is None:
            return await self._registry.pick(model, choose)
        seen = choose(_replicas(old, model, choose.nodes))
        if seen is None:
            await self._registry.fleet()  # Finding nothing takes as long as anything else.
            return None
        taken = await self._registry.pick(model, _ChooseSeen(seen.key, choose))
        if taken is None or taken.key != seen.key:
            return taken
        return replace(taken, in_flight=seen.in_flight, last_used_ns=seen.last_used_ns)

    async def fleet(self) -> Fleet:
        old, fleet = self._old_fleet(), await self._registry.fleet()
        return old or fleet


class _ChooseSeen:
    """Takes the row that was chosen by the old state; if it has gone, chooses among what is there."""

    order = None

    def __init__(self, key: ReplicaKey, choose: Choose) -> None:
        self.nodes = choose.nodes
        self._key = key
        self._choose = choose

    def __call__(self, replicas: Sequence[AnyReplica]) -> AnyReplica | None:
        seen = next((replica for replica in replicas if replica.key == self._key), None)
        return seen or self._choose(replicas)


def _replicas(fleet: Fleet, model: str, nodes: Collection[str]) -> list[Replica]:
    """Return the replicas that a pick would have been shown."""
    healthy = {node.name: node for node in fleet.healthy_nodes()}
    return [
        _replica(row, healthy[row.key.node])
        for row in fleet.loaded(model)
        if row.key.node in healthy and (not nodes or row.key.node in nodes)
    ]


def _replica(row: ReplicaRow, node: Node) -> Replica:
    return Replica(
        row.id,
        row.key,
        row.address,
        row.in_flight,
        row.last_used_ns,
        node.available_vram_bytes,
        capacity_of(row.key.model, node.capacities),
    )
