"""A frontend in a service of one's own: it loads models with a worker control, and gives up nodes with its loops."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sim.live.registry.connection import connect
from sim.live.runtime import AsyncioRuntime
from sim.routing.errors import NoMatchingNode, NoReplica
from sim.routing.fleet import NodeFacts
from sim.routing.settings import ModelConfig
from tests.live.frontends import open_frontend, publish, sqlite_url
from tests.live.workers import DRAWN, KEY, live_world, run
from tests.twins import MODEL
from tests.waiting import until


def test_without_a_worker_control_a_model_that_nobody_serves_has_no_replica(tmp_path: Path) -> None:
    async def story() -> None:
        async with open_frontend(sqlite_url(tmp_path)) as frontend:
            with pytest.raises(NoReplica, match="all models busy"):
                await frontend.predict(MODEL, "Hello")
            await frontend.registry.register_node(NodeFacts(KEY.node))
            with pytest.raises(NoReplica, match="no worker control"):
                await frontend.predict(MODEL, "Hello")

    run(story)


def test_with_a_worker_control_the_first_prompt_loads_the_model(tmp_path: Path) -> None:
    async def story() -> None:
        async with live_world() as world, open_frontend(sqlite_url(tmp_path), worker=world.workers) as frontend:
            await frontend.registry.register_node(NodeFacts(KEY.node))

            answer = await frontend.predict(MODEL, "Hello")

            assert answer.replica == KEY
            assert [row.key for row in await frontend.registry.rows()] == [KEY]

    run(story)


def test_a_model_is_served_where_what_is_known_of_it_allows(tmp_path: Path) -> None:
    models = {MODEL: ModelConfig(MODEL, selector={"gpu": "h100"})}

    async def story() -> None:
        async with (
            live_world() as world,
            open_frontend(sqlite_url(tmp_path), worker=world.workers, models=models) as frontend,
        ):
            await frontend.registry.register_node(NodeFacts(KEY.node, labels={"gpu": "l4"}))
            with pytest.raises(NoMatchingNode, match="no healthy nodes match the selector of m"):
                await frontend.predict(MODEL, "Hello")
            await frontend.registry.register_node(NodeFacts(KEY.node, labels={"gpu": "h100"}))

            answer = await frontend.predict(MODEL, "Hello")

            assert answer.replica == KEY

    run(story)


@pytest.mark.parametrize(
    ("settings", "reserved_bytes"),
    [
        ({"needed_vram_bytes": {MODEL: 5}}, 5),
        ({"needed_vram_bytes": {MODEL: 5}, "models": {MODEL: ModelConfig(MODEL, vram_bytes=7)}}, 7),
    ],
    ids=["by its size alone", "by all that is known of it"],
)
def test_a_load_reserves_what_the_model_needs(settings: dict[str, Any], reserved_bytes: int, tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            live_world() as world,
            open_frontend(sqlite_url(tmp_path), worker=world.workers, **settings) as frontend,
        ):
            await frontend.registry.register_node(NodeFacts(KEY.node, total_vram_bytes=8))

            await frontend.predict(MODEL, "Hello")

            [node] = (await frontend.registry.fleet()).nodes
            assert node.reserved_vram_bytes == reserved_bytes

    run(story)


def test_with_a_control_plane_a_node_that_falls_silent_is_given_up(tmp_path: Path) -> None:
    loops = {"health_monitor": {"tick": "50ms", "stale_after": "200ms"}, "reconciler": None}

    async def story() -> None:
        async with (
            live_world(service=DRAWN) as world,
            open_frontend(sqlite_url(tmp_path), control_plane=loops, journal=world.journal) as frontend,
        ):
            await publish(frontend, world, KEY)
            await until("the node to be given up", lambda: world.journal.of("node_changed"))

            with pytest.raises(NoReplica):
                await frontend.predict(MODEL, "Hello")

    run(story)


def test_a_load_that_no_request_waits_for_ends_with_the_frontend(tmp_path: Path) -> None:
    async def story() -> None:
        async with live_world(load_time="60s") as world:
            async with open_frontend(sqlite_url(tmp_path), profile="hardened", worker=world.workers) as frontend:
                await frontend.registry.register_node(NodeFacts(KEY.node))
                call = asyncio.create_task(frontend.predict(MODEL, "Hello"))
                while not await frontend.registry.rows():
                    await asyncio.sleep(0.005)
                call.cancel()
                await asyncio.gather(call, return_exceptions=True)
                assert await frontend.registry.load_job(MODEL) is not None

            async with connect(sqlite_url(tmp_path), AsyncioRuntime()) as registry:
                assert await registry.rows() == []

    run(story)
