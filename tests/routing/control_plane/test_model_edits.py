"""What an edit of a model's options does to replicas that are loaded, and to one that is being loaded."""

from collections.abc import Callable

import pytest

from sim.routing.control_plane.model_edits import ModelEdits, ReviseOnEdit, UnloadOnEdit
from sim.routing.errors import StaleRevision
from sim.routing.fleet import RowState
from sim.routing.ports import FrontendPorts
from sim.routing.replica import ReplicaKey
from sim.routing.settings import ModelConfig
from sim.simulated.nodes.worker import InstallSettings
from tests.drivers import SECOND
from tests.routing.fleet_world import MODEL, FleetWorld, nodes, one_worker
from tests.routing.loading.test_load_path import load_path

A, B = ReplicaKey("a", MODEL, 0), ReplicaKey("b", MODEL, 0)
OTHER_ON_A = ReplicaKey("a", "other", 0)

NewEdits = Callable[[FrontendPorts], ModelEdits]


def slowly_loaded() -> InstallSettings:
    return InstallSettings(one_worker(load_time_ns=10 * SECOND), install_time_ns=0, vram_bytes=0, disk_bytes=0)


def states_after_an_edit_during_a_load(new_edits: NewEdits) -> tuple[dict[str, RowState], list[str]]:
    """Edit the model while b loads beside a; return the rows 5 s after the load's end, and the load's errors."""
    world, errors = FleetWorld(nodes("a", "b"), {MODEL: slowly_loaded()}), list[str]()
    world.place(A)
    world.place(OTHER_ON_A)

    async def load() -> None:
        try:
            await load_path(world, ModelConfig(MODEL)).load(MODEL, 0, "scale_up")
        except StaleRevision as error:
            errors.append(type(error).__name__)

    async def story() -> None:
        world.runtime.spawn(load(), "load")
        await world.runtime.sleep(5 * SECOND)
        await new_edits(world.ports()).edited(MODEL, "new")
        await world.runtime.sleep(10 * SECOND)

    world.run(story())
    return {f"{row.key.model}@{row.key}": row.state for row in world.rows()}, errors


def test_an_unload_ends_what_is_loaded_and_leaves_a_load_under_way_to_serve_the_old_options() -> None:
    assert states_after_an_edit_during_a_load(UnloadOnEdit) == (
        {"m@b#0": RowState.LOADED, "other@a#0": RowState.LOADED},
        [],
    )


def test_a_revision_takes_every_older_row_out_of_service_and_refuses_that_of_the_load_under_way() -> None:
    assert states_after_an_edit_during_a_load(ReviseOnEdit) == (
        {"m@a#0": RowState.UNLOADING, "m@b#0": RowState.UNLOADING, "other@a#0": RowState.LOADED},
        ["StaleRevision"],
    )


@pytest.mark.parametrize(("new_edits", "ended"), [(UnloadOnEdit, ["a#0", "b#0"]), (ReviseOnEdit, [])])
def test_only_an_unload_stops_the_processes_itself(new_edits: NewEdits, ended: list[str]) -> None:
    world = FleetWorld(nodes("a", "b"))
    world.place(A)
    world.place(B)
    world.place(OTHER_ON_A)

    async def story() -> None:
        await new_edits(world.ports()).edited(MODEL, "new")
        await world.runtime.sleep(SECOND)

    world.run(story())

    assert [told.about for told in world.told("process_ended")] == ended
