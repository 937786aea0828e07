"""What every registry promises of the loads that it keeps."""

import pytest

from sim.routing.fleet import LoadJob, LoadState
from sim.routing.replica import ReplicaKey
from tests.choices import BEST
from tests.drivers import all_of
from tests.live.conftest import Tell
from tests.live.registry.registry_arms import MODEL, Arm, Story


async def a_load_is_started_once_and_read_by_everybody(arm: Arm) -> None:
    arm.show(5)

    job = await arm.registry.start_load(MODEL)

    assert job is not None
    assert job == LoadJob(job.id, MODEL, LoadState.PENDING, 5)
    assert await arm.registry.start_load(MODEL) is None
    assert await arm.registry.load_job(MODEL) == job
    assert await arm.registry.load_job("other") is None


async def a_load_tells_how_far_it_has_come(arm: Arm) -> None:
    arm.show(5)
    job = await arm.registry.start_load(MODEL)
    assert job is not None
    arm.show(6)

    beaten = await arm.registry.beat_load(job.id, LoadState.LOADING)
    loading = await arm.registry.load_job(MODEL)
    await arm.registry.beat_load(job.id, LoadState.FAILED, "no room")

    assert beaten is True
    assert loading == LoadJob(job.id, MODEL, LoadState.LOADING, 6)
    assert await arm.registry.load_job(MODEL) == LoadJob(job.id, MODEL, LoadState.FAILED, 6, "no room")


async def a_load_that_has_ended_leaves_room_for_another(arm: Arm) -> None:
    first = await arm.registry.start_load(MODEL)
    other = await arm.registry.start_load("other")
    assert first is not None

    await arm.registry.end_load(first.id)
    await arm.registry.end_load(first.id)

    assert await arm.registry.load_job(MODEL) is None
    assert await arm.registry.load_job("other") == other
    second = await arm.registry.start_load(MODEL)
    assert second is not None
    assert second.id != first.id


async def a_load_that_has_gone_is_not_beaten(arm: Arm) -> None:
    first = await arm.registry.start_load(MODEL)
    assert first is not None
    await arm.registry.end_load(first.id)
    second = await arm.registry.start_load(MODEL)

    assert await arm.registry.beat_load(first.id, LoadState.LOADING) is False

    assert await arm.registry.load_job(MODEL) == second


async def of_simultaneous_starts_one_succeeds(arm: Arm) -> None:
    jobs = await all_of(arm.runtime, [arm.registry.start_load(MODEL) for _ in range(8)])

    assert [job for job in jobs if job is not None] == [await arm.registry.load_job(MODEL)]


async def loads_and_rows_of_the_registry_do_not_meet(arm: Arm) -> None:
    await arm.registry.start_load(MODEL)

    assert await arm.registry.pick(MODEL, BEST) is None
    assert (await arm.registry.fleet()).loadable == {}
    assert await arm.registry.increment(ReplicaKey("n0", MODEL, 0)) is False


CASES: list[Story] = [
    a_load_is_started_once_and_read_by_everybody,
    a_load_tells_how_far_it_has_come,
    a_load_that_has_ended_leaves_room_for_another,
    a_load_that_has_gone_is_not_beaten,
    of_simultaneous_starts_one_succeeds,
    loads_and_rows_of_the_registry_do_not_meet,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_every_registry_keeps_its_promises_to_the_loops(case: Story, tell: Tell) -> None:
    tell(case)
