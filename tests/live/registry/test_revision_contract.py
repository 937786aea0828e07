"""What every registry promises about revisions of a model's config."""

from contextlib import suppress
from dataclasses import replace

import pytest

from sim.routing.errors import StaleRevision
from sim.routing.fleet import NodeFacts, RowState
from sim.routing.loading.placement import capacity
from sim.routing.replica import ReplicaKey
from sim.routing.settings import ModelConfig
from tests.choices import BEST
from tests.drivers import all_of
from tests.live.conftest import Tell
from tests.live.registry.registry_arms import MODEL, Arm, Story, picked, put, row, rows


async def a_model_of_which_nobody_has_set_a_revision_has_none(arm: Arm) -> None:
    key = await put(arm, "n0")

    assert (await arm.registry.fleet()).revisions == {}
    assert (await row(arm, key)).revision == ""


async def a_new_revision_turns_what_serves_or_is_about_to_into_unloading(arm: Arm) -> None:
    keys = {state: await put(arm, "n0", in_flight=3, index=index, state=state) for index, state in enumerate(RowState)}
    other = await put(arm, "n1", model="other")
    before = {state: await row(arm, key) for state, key in keys.items()}

    overtaken = await arm.registry.advance_revision(MODEL, "rev-1")

    going = [RowState.STAGING, RowState.LOADING, RowState.LOADED]
    assert sorted(overtaken, key=lambda row: row.id) == sorted(
        (replace(before[state], state=RowState.UNLOADING) for state in going), key=lambda row: row.id
    )
    expected = {key: RowState.UNLOADING if state in going else state for state, key in keys.items()}
    fleet = await arm.registry.fleet()
    assert {row.key: row.state for row in fleet.rows} == expected | {other: RowState.LOADED}
    assert fleet.revisions == {MODEL: "rev-1"}
    assert await arm.registry.pick(MODEL, BEST) is None


async def a_new_revision_overtakes_the_rows_of_the_one_before(arm: Arm) -> None:
    await arm.registry.advance_revision(MODEL, "rev-1")
    key = await put(arm, "n0", revision="rev-1")
    assert await picked(arm) == key

    overtaken = await arm.registry.advance_revision(MODEL, "rev-2")

    assert [(row.key, row.state, row.revision) for row in overtaken] == [(key, RowState.UNLOADING, "rev-1")]
    assert (await arm.registry.fleet()).revisions == {MODEL: "rev-2"}
    assert await picked(arm, preferred=key) is None


async def with_a_new_revision_it_is_forgotten_how_to_load_the_model(arm: Arm) -> None:
    await put(arm, "n0")
    await put(arm, "n1", model="other")

    await arm.registry.advance_revision(MODEL, "rev-1")

    assert (await arm.registry.fleet()).loadable == {"other": None}


async def advancing_to_the_current_revision_changes_nothing(arm: Arm) -> None:
    await arm.registry.advance_revision(MODEL, "rev-1")
    await put(arm, "n0", revision="rev-1")
    before = await arm.registry.fleet()

    assert await arm.registry.advance_revision(MODEL, "rev-1") == []

    assert await arm.registry.fleet() == before
    assert before.loadable == {MODEL: None}


async def what_was_loaded_for_a_stale_revision_is_not_published(arm: Arm) -> None:
    await arm.registry.advance_revision(MODEL, "rev-1")
    await arm.registry.advance_revision(MODEL, "rev-2")
    await arm.registry.advance_revision("other", "rev-1")
    key = await put(arm, "n0", in_flight=2, revision="rev-2")

    for stale in ("", "rev-1", "rev-3"):
        for state in RowState:
            with pytest.raises(StaleRevision, match="rev-2"):
                await put(arm, "n0", state=state, revision=stale)

    assert await rows(arm) == {key: 2}
    assert (await row(arm, key)).revision == "rev-2"


async def of_what_is_published_while_the_revision_advances_nothing_stale_is_left_loaded(arm: Arm) -> None:
    await arm.registry.advance_revision(MODEL, "rev-1")

    async def publish(node: str, index: int) -> None:
        with suppress(StaleRevision):
            await put(arm, node, index=index, revision="rev-1")

    places = [("n0", 0), ("n0", 1), ("n1", 0), ("n2", 0), ("n3", 0)]
    some, others = [publish(*place) for place in places[:2]], [publish(*place) for place in places[2:]]
    await all_of(arm.runtime, [*some, arm.registry.advance_revision(MODEL, "rev-2"), *others])

    states = [row.state for row in (await arm.registry.fleet()).rows]
    assert RowState.LOADED not in states


async def where_there_is_no_revision_none_is_published(arm: Arm) -> None:
    with pytest.raises(StaleRevision):
        await put(arm, "n0", revision="rev-1")

    assert await rows(arm) == {}
    assert (await arm.registry.fleet()).loadable == {}


async def only_rows_of_the_current_revision_are_picked_and_counted(arm: Arm) -> None:
    await arm.registry.register_node(NodeFacts("n0", slots=1))
    await arm.registry.advance_revision(MODEL, "rev-2")
    current = await put(arm, "n0", in_flight=3, revision="rev-2")
    none, old, unloading = (ReplicaKey(name, MODEL, 0) for name in ("n1", "n2", "n3"))
    await arm.write_loose(none, 5, RowState.LOADED, "")
    await arm.write_loose(old, 7, RowState.LOADED, "rev-1")
    await arm.write_loose(unloading, 11, RowState.UNLOADING, "rev-2")

    assert await picked(arm) == current

    assert await rows(arm) == {current: 4, none: 5, old: 7, unloading: 11}
    fleet = await arm.registry.fleet()
    assert [row.key for row in fleet.loaded(MODEL)] == [current]
    assert [node.slots for node in fleet.nodes] == [1, 1, 1, 1]
    assert capacity(fleet, ModelConfig(MODEL)) == 3


async def an_idle_row_of_another_revision_is_not_picked_however_it_is_asked_for(arm: Arm) -> None:
    await arm.registry.advance_revision(MODEL, "rev-2")
    old = ReplicaKey("n1", MODEL, 0)
    await arm.write_loose(old, 0, RowState.LOADED, "rev-1")

    assert [await picked(arm), await picked(arm, candidates=["n1"]), await picked(arm, preferred=old)] == [None] * 3

    current = await put(arm, "n0", in_flight=9, revision="rev-2")
    assert await picked(arm, preferred=old) == current


CASES: list[Story] = [
    a_model_of_which_nobody_has_set_a_revision_has_none,
    a_new_revision_turns_what_serves_or_is_about_to_into_unloading,
    a_new_revision_overtakes_the_rows_of_the_one_before,
    with_a_new_revision_it_is_forgotten_how_to_load_the_model,
    advancing_to_the_current_revision_changes_nothing,
    what_was_loaded_for_a_stale_revision_is_not_published,
    of_what_is_published_while_the_revision_advances_nothing_stale_is_left_loaded,
    where_there_is_no_revision_none_is_published,
    only_rows_of_the_current_revision_are_picked_and_counted,
    an_idle_row_of_another_revision_is_not_picked_however_it_is_asked_for,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_every_registry_keeps_its_promises_to_the_loops(case: Story, tell: Tell) -> None:
    tell(case)
