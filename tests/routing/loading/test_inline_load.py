"""Cold loads inside the requests that need them: one at a time under the model's lock, or each by itself."""

import pytest

from tests.drivers import SECOND
from tests.routing.loading.cold_loads import COMPLETED, ends, frontend, loads, send, world_of


@pytest.mark.parametrize(("kind", "expected"), [("inline", 1), ("unlocked", 3)])
def test_first_requests_at_three_frontends_load_once_under_the_lock_and_three_times_without_it(
    kind: str, expected: int
) -> None:
    world = world_of("a", load_s=5)
    frontends = [frontend(world, loads=kind) for _ in range(3)]

    async def story() -> None:
        for entrance in frontends:
            send(world, entrance)

    world.run(story())

    assert loads(world) == expected
    assert [how for _end_s, *how in ends(world)] == [[*COMPLETED]] * 3


def test_without_the_lock_a_request_still_takes_a_replica_that_is_there() -> None:
    world = world_of("a", load_s=5)
    entrance = frontend(world, loads="unlocked")

    async def story() -> None:
        send(world, entrance)
        await world.runtime.sleep(6 * SECOND)
        send(world, entrance)

    world.run(story())

    assert loads(world) == 1
    assert ends(world) == [(5.0, *COMPLETED), (6.0, *COMPLETED)]
