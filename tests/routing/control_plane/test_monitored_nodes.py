"""What costs a node its status, and what brings it back: heartbeats."""

from dataclasses import dataclass

import pytest

from sim.routing.control_plane.monitoring import BusyIsAlive, EveryMiss
from sim.routing.fleet import NodeStatus
from sim.routing.replica import ReplicaKey
from tests.drivers import SECOND
from tests.routing.control_plane.monitors import (
    A0,
    B0,
    EACH_WAY,
    HEALTHY,
    LATE,
    OFFLINE,
    UNHEALTHY,
    NewMonitoring,
    monitor_in,
    passes,
    tick,
)
from tests.routing.fleet_world import MODEL, FleetWorld, Told, nodes


@dataclass(frozen=True)
class Silence:
    """A node with a row, and how long it has been silent when a pass comes."""

    before: NodeStatus
    silent_ns: int
    after: NodeStatus
    told: tuple[Told, ...] = ()
    keeps_row: bool = True


def node_changed(status: NodeStatus, cause: str) -> Told:
    return Told("node_changed", "a", status, cause)


ROW_GOES = Told("row_removed", "a#0", "", "node_offline")

BACK = (node_changed(HEALTHY, "heartbeat"),)

SILENCES: dict[str, Silence] = {
    "a node silent for exactly the limit stays healthy": Silence(HEALTHY, 60 * SECOND, HEALTHY),
    "a node silent for longer goes offline with its rows": Silence(
        HEALTHY, LATE, OFFLINE, (node_changed(OFFLINE, "stale_heartbeat"), ROW_GOES), keeps_row=False
    ),
    "a silent node that waits for approval goes offline too": Silence(
        NodeStatus.PENDING, LATE, OFFLINE, (node_changed(OFFLINE, "stale_heartbeat"), ROW_GOES), False
    ),
    "a silent node that is unhealthy stays so": Silence(UNHEALTHY, LATE, UNHEALTHY),
    "a silent node that is offline stays so": Silence(OFFLINE, LATE, OFFLINE),
    "an unhealthy node that is heard is healthy again": Silence(UNHEALTHY, 60 * SECOND, HEALTHY, BACK),
    "an offline node that is heard is healthy again": Silence(OFFLINE, 0, HEALTHY, BACK),
    "a node that waits for approval is not made healthy": Silence(
        NodeStatus.PENDING, 0, NodeStatus.PENDING
    ),
    "a node that registers is not made healthy": Silence(
        NodeStatus.REGISTERING, 0, NodeStatus.REGISTERING
    ),
    "a silent node that drains is left alone": Silence(
        NodeStatus.DRAINING, LATE, NodeStatus.DRAINING
    ),
}  # fmt: skip


@EACH_WAY
@pytest.mark.parametrize("silence", SILENCES.values(), ids=SILENCES)
def test_a_nodes_status_follows_its_heartbeats(silence: Silence, monitoring: NewMonitoring) -> None:
    world = FleetWorld(nodes("a"))
    world.set_status("a", silence.before)
    world.place(A0)
    monitor = monitor_in(world, monitoring)

    async def story() -> None:
        await world.runtime.sleep(silence.silent_ns)
        await monitor.run_pass()

    world.run(story())

    assert world.node("a").status is silence.after
    assert world.told() == list(silence.told)
    assert world.keys() == (["a#0"] if silence.keeps_row else [])


def test_a_node_that_falls_silent_is_given_up_once_and_taken_back_once() -> None:
    world = FleetWorld(nodes("a"), heartbeat_ns=10 * SECOND)
    tick(world, monitor_in(world))

    async def story() -> None:
        world.agents["a"].gags += 1
        await world.runtime.sleep(121 * SECOND)
        world.agents["a"].gags -= 1
        await world.runtime.sleep(60 * SECOND)

    world.run(story())

    # Silent from 0 on: 60 s old at the tick of 60 s, older at that of 75 s; heard at 130 s, seen at 135 s.
    assert [told.detail for told in world.told("node_changed")] == ["offline", "healthy"]
    assert world.times_s("node_changed") == [75, 135]


def test_rows_of_a_draining_node_are_not_probed() -> None:
    world = FleetWorld(nodes("a", "b"))
    world.set_status("a", NodeStatus.DRAINING)
    for key in (A0, B0):
        world.place(key)
        world.kill(key)

    world.run(passes(monitor_in(world), 3))

    assert world.keys() == ["a#0"]


def test_rows_of_a_silent_node_are_not_probed() -> None:
    world = FleetWorld(nodes("a"))
    world.set_status("a", UNHEALTHY)
    world.place(A0)
    world.kill(A0)
    monitor = monitor_in(world)

    async def story() -> None:
        await world.runtime.sleep(LATE)
        await passes(monitor, 5)

    world.run(story())

    assert world.keys() == ["a#0"]


def test_a_frontend_whose_clock_is_ahead_takes_a_talking_node_offline() -> None:
    world = FleetWorld(nodes("a"), heartbeat_ns=10 * SECOND)
    in_time = monitor_in(world, ports=world.ports())
    ahead = monitor_in(world, ports=world.ports(clock_ahead_ns=LATE))

    async def story() -> list[NodeStatus]:
        seen = []
        for monitor in (in_time, ahead):
            await monitor.run_pass()
            seen.append(world.node("a").status)
        return seen

    assert world.run(story()) == [HEALTHY, OFFLINE]


@pytest.mark.parametrize(
    ("monitoring", "status"), [(EveryMiss, OFFLINE), (BusyIsAlive, HEALTHY)], ids=["at its turn", "when read"]
)
def test_a_long_pass_takes_a_talking_node_for_silent_if_heartbeats_are_judged_at_its_turn(
    monitoring: NewMonitoring, status: NodeStatus
) -> None:
    world = FleetWorld(nodes("a", "b"), heartbeat_ns=10 * SECOND)
    for index in range(13):
        key = ReplicaKey("a", MODEL, index)
        world.place(key)
        world.hang(key)

    world.run(monitor_in(world, monitoring).run_pass())

    # The turn of b comes 65 s after its heartbeat was read.
    assert world.node("b").status is status
