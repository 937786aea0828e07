"""The health monitor: nodes without heartbeats are given up, and rows whose process does not answer are deleted.

A node is judged by its worker's heartbeats alone, a row by health calls to its process. LocalAI's monitor cannot tell a
busy process from a dead one: a backend that serves one call at a time and is at work during three probes in a row loses
its row, and so does one that takes that long to load its model.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from sim.routing.errors import CallError, DeadlineExceeded
from sim.routing.fleet import Fleet, Node, ReplicaRow
from sim.routing.outcomes import ProbeOutcome
from sim.routing.ports import Dialer, Journal, Runtime
from sim.routing.registry import Registry
from sim.routing.replica import ReplicaKey
from sim.routing.settings import HealthMonitorSettings
from sim.routing.states import NodeStatus

LOCK = "health"
"""The advisory lock that keeps passes of different frontends apart, but not from following one another."""

GIVEN_UP = (NodeStatus.UNHEALTHY, NodeStatus.OFFLINE)
"""What a heartbeat brings a node back from, and what a missing one changes no more."""

CountKey = ReplicaKey | str

Misses = dict[CountKey, int]
"""How many probes in a row have missed, by what the row's count goes by."""


def _none(_misses: int) -> int:
    return 0


def _one_more(misses: int) -> int:
    return misses + 1


def _as_many(misses: int) -> int:
    return misses


def _by_key(row: ReplicaRow) -> CountKey:
    return row.key


def _by_id(row: ReplicaRow) -> CountKey:
    return row.id


def _all(misses: Misses, _fleet: Fleet) -> Misses:
    return misses


def _of_rows_that_are_there(misses: Misses, fleet: Fleet) -> Misses:
    return {row.id: misses[row.id] for row in fleet.rows if row.id in misses}


def _when_its_turn_comes(_read_ns: int, now_ns: int) -> int:
    return now_ns


def _when_it_was_read(read_ns: int, _now_ns: int) -> int:
    return read_ns


@dataclass(frozen=True, slots=True)
class Monitoring:
    """How the monitor reads probes and heartbeats."""

    misses_after: Mapping[ProbeOutcome, Callable[[int], int]]
    """Misses in a row after a probe that ended so, from those before it."""
    counted_by: Callable[[ReplicaRow], CountKey]
    """What a row's misses go by."""
    kept: Callable[[Misses, Fleet], Misses]
    """Which counts a pass goes on with, of those of the passes before."""
    judged_ns: Callable[[int, int], int]
    """When a heartbeat's age is taken, given the wall times of the reading and of the node's turn."""


EVERY_MISS = Monitoring(
    misses_after={ProbeOutcome.OK: _none, ProbeOutcome.TIMEOUT: _one_more, ProbeOutcome.FAILED: _one_more},
    counted_by=_by_key,
    kept=_all,
    judged_ns=_when_its_turn_comes,
)
"""LocalAI's way. Busy counts as dead, a new row inherits the misses of the one before it with its key, and a node whose
turn comes late in a long pass is taken for silent if it was last heard long before that, though it was heard since."""

BUSY_IS_ALIVE = Monitoring(
    misses_after={ProbeOutcome.OK: _none, ProbeOutcome.TIMEOUT: _as_many, ProbeOutcome.FAILED: _one_more},
    counted_by=_by_id,
    kept=_of_rows_that_are_there,
    judged_ns=_when_it_was_read,
)
"""The repaired way: a probe that is not answered in time says nothing, a new row begins without misses, and a long pass
makes nobody look silent."""


class HealthMonitor:
    """Looks over the nodes and rows for one frontend. The counts of misses are its own."""

    __slots__ = (
        "_dialer", "_journal", "_misses", "_monitoring", "_registry", "_runtime", "_settings", "_stale_status",
    )  # fmt: skip

    def __init__(
        self,
        runtime: Runtime,
        registry: Registry,
        dialer: Dialer,
        journal: Journal,
        settings: HealthMonitorSettings,
        monitoring: Monitoring,
        stale_status: NodeStatus = NodeStatus.OFFLINE,
    ) -> None:
        """A node without heartbeats gets `stale_status`: LocalAI's, or UNHEALTHY, which leaves it its rows."""
        self._runtime = runtime
        self._registry = registry
        self._dialer = dialer
        self._journal = journal
        self._settings = settings
        self._monitoring = monitoring
        self._stale_status = stale_status
        self._misses: Misses = {}

    async def run_pass(self) -> None:
        """Look over every node that is not draining, by name, and probe the rows of those with a heartbeat, by id.

        Probes follow one another, so a pass lasts up to their number times their limit. Nothing happens while another
        frontend's pass is under way. A registry that fails ends the pass; what it has done by then stands.
        """
        with suppress(CallError):
            async with self._registry.try_lock(LOCK) as is_held:
                if is_held:
                    await self._look_over(await self._registry.fleet())

    async def _look_over(self, fleet: Fleet) -> None:
        read_ns = self._runtime.wall_ns()
        self._misses = self._monitoring.kept(self._misses, fleet)
        for node in fleet.nodes:
            if node.status is NodeStatus.DRAINING:
                continue
            judged_ns = self._monitoring.judged_ns(read_ns, self._runtime.wall_ns())
            if judged_ns - node.heartbeat_ns > self._settings.stale_after_ns:
                await self._give_up(node)
                continue
            await self._take_back(node)
            for row in fleet.rows_on(node.name):
                if row.address not in ("", node.address):
                    await self._look_after(row)

    async def _give_up(self, node: Node) -> None:
        if node.status in GIVEN_UP:
            return
        removed = await self._registry.set_status(node.name, self._stale_status)
        self._journal.node_changed(node.name, self._stale_status, "stale_heartbeat")
        for row in removed:
            self._journal.row_removed(row.key, row.address, "node_offline", None)

    async def _take_back(self, node: Node) -> None:
        if node.status not in GIVEN_UP:
            return
        await self._registry.set_status(node.name, NodeStatus.HEALTHY)
        self._journal.node_changed(node.name, NodeStatus.HEALTHY, "heartbeat")

    async def _look_after(self, row: ReplicaRow) -> None:
        count = self._monitoring.counted_by(row)
        misses_after = self._monitoring.misses_after[await self._probe(row)]
        misses = self._misses[count] = misses_after(self._misses.get(count, 0))
        if misses < self._settings.misses:
            return
        is_removed = await self._registry.remove_row(row.id)
        del self._misses[count]
        if is_removed:
            self._journal.row_removed(row.key, row.address, "monitor_misses", None)

    async def _probe(self, row: ReplicaRow) -> ProbeOutcome:
        backend = self._dialer.dial(row.key, row.address)
        try:
            await self._runtime.within(self._settings.probe_timeout_ns, backend.health())
        except DeadlineExceeded:
            return ProbeOutcome.TIMEOUT
        except CallError:
            return ProbeOutcome.FAILED
        return ProbeOutcome.OK
