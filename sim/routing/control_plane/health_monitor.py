"""The health monitor: nodes without heartbeats go offline, and rows whose process does not answer are deleted.

A node is judged by its worker's heartbeats alone, a row by health calls to its process. LocalAI's monitor cannot tell a
busy process from a dead one: a backend that serves one call at a time loses its row if it is at work during three
probes in a row, and so does one that takes that long to load its model.
"""

from collections.abc import Sequence
from contextlib import suppress

from sim.routing.control_plane.monitoring import Monitoring
from sim.routing.errors import CallError
from sim.routing.fleet import Fleet, Node, NodeStatus, ReplicaRow
from sim.routing.ports import FrontendPorts
from sim.routing.request_path.health_check import HealthCheck
from sim.routing.settings import HealthMonitorSettings

LOCK = "health"
"""The advisory lock that keeps passes of different frontends from overlapping."""

SILENT = (NodeStatus.UNHEALTHY, NodeStatus.OFFLINE)
"""A node with one of these statuses comes back with its next heartbeat, and does not change without one."""


class HealthMonitor:
    """Checks the nodes and rows for one frontend, which counts misses of its own."""

    __slots__ = ("_health_check", "_monitoring", "_ports", "_settings")

    def __init__(self, ports: FrontendPorts, settings: HealthMonitorSettings, monitoring: Monitoring) -> None:
        self._ports = ports
        self._settings = settings
        self._health_check = HealthCheck(ports, settings.probe_timeout_ns)
        self._monitoring = monitoring

    async def run_pass(self) -> None:
        """Check every node that is not draining, by name, and probe the rows of those with a heartbeat, by id.

        Probes follow one another, so a pass lasts up to their number times their limit. Nothing happens while another
        frontend's pass is under way. A registry that fails ends the pass; what was done by then stays done.
        """
        with suppress(CallError):
            async with self._ports.registry.try_lock(LOCK) as is_held:
                if is_held:
                    await self._check_all(await self._ports.registry.fleet())

    async def _check_all(self, fleet: Fleet) -> None:
        self._monitoring.begin_pass(fleet, self._ports.runtime.wall_ns())
        for node in fleet.nodes:
            if node.status is not NodeStatus.DRAINING:
                await self._check_node(node, fleet.rows_on(node.name))

    async def _check_node(self, node: Node, rows: Sequence[ReplicaRow]) -> None:
        age_ns = self._monitoring.heartbeat_age_ns(node, self._ports.runtime.wall_ns())
        if age_ns > self._settings.stale_after_ns:
            await self._take_offline(node)
            return
        await self._bring_back(node)
        for row in rows:
            if row.address not in ("", node.address):
                await self._check_row(row)

    async def _take_offline(self, node: Node) -> None:
        if node.status in SILENT:
            return
        removed = await self._ports.registry.set_status(node.name, NodeStatus.OFFLINE)
        self._ports.journal.node_changed(node.name, NodeStatus.OFFLINE, "stale_heartbeat")
        for row in removed:
            self._ports.journal.row_removed(row.key, row.address, "node_offline", None)

    async def _bring_back(self, node: Node) -> None:
        if node.status not in SILENT:
            return
        await self._ports.registry.set_status(node.name, NodeStatus.HEALTHY)
        self._ports.journal.node_changed(node.name, NodeStatus.HEALTHY, "heartbeat")

    async def _check_row(self, row: ReplicaRow) -> None:
        backend = self._ports.dialer.dial(row.key, row.address)
        outcome = await self._health_check.ask(None, row.key, row.address, backend)
        if self._monitoring.misses(row, outcome) < self._settings.misses:
            return
        is_removed = await self._ports.registry.remove_row(row.id)
        self._monitoring.forget(row)
        if is_removed:
            self._ports.journal.row_removed(row.key, row.address, "monitor_misses", None)
