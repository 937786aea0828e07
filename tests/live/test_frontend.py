"""The router in a service of one's own, against real workers, a real registry, and a backend that is not ours."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from sim.live import Frontend
from sim.live.proto.backend_pb2 import PredictOptions, Reply
from sim.live.proto.backend_pb2_grpc import add_BackendServicer_to_server
from sim.live.registry.connection import connect
from sim.live.runtime import AsyncioRuntime
from sim.routing.errors import ModelNotLoaded, NoMatchingNode, NoReplica, Unavailable
from sim.routing.fleet import NodeFacts
from sim.routing.policies.port import PolicyError, ReplicaView, RequestView
from sim.routing.replica import ReplicaKey
from sim.routing.settings import ModelConfig
from tests.live.nodes.test_backend_foreign import ForeignBackend
from tests.live.workers import BY_TOKENS, DRAWN, KEY, LONG_MS, OTHER, LiveWorld, live_world, run
from tests.twins import MODEL, ListJournal
from tests.waiting import until


def test_prompts_are_spread_over_the_replicas_and_answered(database_url: str) -> None:
    async def story() -> None:
        async with live_world(service=BY_TOKENS) as world, _open(database_url, profile="hardened") as frontend:
            await _publish(frontend, world, KEY, OTHER)

            answers = await asyncio.gather(*(frontend.predict(MODEL, "How are you?", max_tokens=50) for _ in range(6)))

            assert {answer.replica for answer in answers} == {KEY, OTHER}
            assert {(answer.text, answer.tokens) for answer in answers} == {("firstlast", 50)}
            assert all(0 < (answer.first_token_s or 0) < answer.total_s for answer in answers)
        assert await _in_flight(database_url) == 0

    run(story)


def test_a_policy_of_ones_own_picks_the_replica_and_its_mistake_reaches_the_caller(tmp_path: Path) -> None:
    def the_other(replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        return (
            next(replica for replica in replicas if replica.replica_index == OTHER.replica_index)
            if request.id < 4
            else replicas[9]
        )

    async def story() -> None:
        async with live_world(service=BY_TOKENS) as world, _open(_url(tmp_path), policy=the_other) as frontend:
            await _publish(frontend, world, KEY, OTHER)

            answers = [await frontend.predict(MODEL, "Hello", max_tokens=5) for _ in range(4)]

            assert {answer.replica for answer in answers} == {OTHER}
            with pytest.raises(PolicyError, match="the_other raised IndexError"):
                await frontend.predict(MODEL, "Hello", max_tokens=5)
        assert await _in_flight(_url(tmp_path)) == 0

    run(story)


def test_an_answer_in_one_piece_tells_no_first_token(tmp_path: Path) -> None:
    async def story() -> None:
        async with live_world(service=DRAWN) as world, _open(_url(tmp_path)) as frontend:
            await _publish(frontend, world, KEY)

            answer = await frontend.predict(MODEL, "Hello")

            assert (answer.text, answer.first_token_s) == ("last", None)

    run(story)


def test_a_stream_gives_the_answer_piece_by_piece(tmp_path: Path) -> None:
    async def story() -> None:
        async with live_world(service=BY_TOKENS) as world, _open(_url(tmp_path)) as frontend:
            await _publish(frontend, world, KEY)

            pieces = [piece async for piece in frontend.stream(MODEL, "Hello", max_tokens=20)]

            assert pieces == ["first", "last"]

    run(story)


def test_a_backend_gets_the_prompt_and_its_characters_come_back_whole(tmp_path: Path) -> None:
    async def story() -> None:
        with _echo() as address:
            async with _open(_url(tmp_path)) as frontend:
                await frontend.registry.register_node(NodeFacts(KEY.node))
                await frontend.registry.publish(KEY, address, in_flight=0)

                answer = await frontend.predict(MODEL, "déjà vu", max_tokens=7)
                pieces = [piece async for piece in frontend.stream(MODEL, "déjà vu", max_tokens=7)]

                assert (answer.text, answer.tokens) == ("déjà vu", 7)
                assert pieces == list("déjà vu")

    run(story)


def test_without_a_worker_control_a_model_that_nobody_serves_has_no_replica(tmp_path: Path) -> None:
    async def story() -> None:
        async with _open(_url(tmp_path)) as frontend:
            with pytest.raises(NoReplica, match="all models busy"):
                await frontend.predict(MODEL, "Hello")
            await frontend.registry.register_node(NodeFacts(KEY.node))
            with pytest.raises(NoReplica, match="no worker control"):
                await frontend.predict(MODEL, "Hello")

    run(story)


def test_with_a_worker_control_the_first_prompt_loads_the_model(tmp_path: Path) -> None:
    async def story() -> None:
        async with live_world() as world, _open(_url(tmp_path), worker=world.workers) as frontend:
            await frontend.registry.register_node(NodeFacts(KEY.node))

            answer = await frontend.predict(MODEL, "Hello")

            assert answer.replica == KEY
            assert [row.key for row in await frontend.registry.rows()] == [KEY]

    run(story)


def test_a_model_is_served_where_what_is_known_of_it_allows(tmp_path: Path) -> None:
    models = {MODEL: ModelConfig(MODEL, selector={"gpu": "h100"})}

    async def story() -> None:
        async with live_world() as world, _open(_url(tmp_path), worker=world.workers, models=models) as frontend:
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
        async with live_world() as world, _open(_url(tmp_path), worker=world.workers, **settings) as frontend:
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
            _open(_url(tmp_path), control_plane=loops, journal=world.journal) as frontend,
        ):
            await _publish(frontend, world, KEY)
            await until("the node to be given up", lambda: world.journal.of("node_changed"))

            with pytest.raises(NoReplica):
                await frontend.predict(MODEL, "Hello")

    run(story)


def test_a_load_that_no_request_waits_for_ends_with_the_frontend(tmp_path: Path) -> None:
    async def story() -> None:
        async with live_world(load_time="60s") as world:
            async with _open(_url(tmp_path), profile="hardened", worker=world.workers) as frontend:
                await frontend.registry.register_node(NodeFacts(KEY.node))
                call = asyncio.create_task(frontend.predict(MODEL, "Hello"))
                while not await frontend.registry.rows():
                    await asyncio.sleep(0.005)
                call.cancel()
                await asyncio.gather(call, return_exceptions=True)
                assert await frontend.registry.load_job(MODEL) is not None

            async with connect(_url(tmp_path), AsyncioRuntime()) as registry:
                assert await registry.rows() == []

    run(story)


def test_a_call_that_fails_raises_its_error_and_is_told_once(tmp_path: Path) -> None:
    async def story() -> None:
        journal = ListJournal()
        async with live_world() as world, _open(_url(tmp_path), journal=journal) as frontend:
            await _publish(frontend, world, KEY)
            world.workers.drop_model(KEY)
            await until("the memory to be free", lambda: world.free_vram[-1] == world.free_vram[0])

            with pytest.raises(ModelNotLoaded, match="model not loaded"):
                await frontend.predict(MODEL, "Hello")

            assert journal.of("ended") == [("ended", 0, "FAILED", "ModelNotLoaded")]

    run(story)


def test_a_replica_killed_in_the_middle_of_a_stream_ends_it_as_unavailable(tmp_path: Path) -> None:
    async def story() -> None:
        async with live_world(service=BY_TOKENS) as world, _open(_url(tmp_path)) as frontend:
            await _publish(frontend, world, KEY)

            pieces = frontend.stream(MODEL, "Hello", max_tokens=LONG_MS)

            assert await anext(pieces) == "first"
            world.workers.kill(KEY)

            with pytest.raises(Unavailable):
                await anext(pieces)

        assert await _in_flight(_url(tmp_path)) == 0

    run(story)


@pytest.mark.parametrize("served", [False, True], ids=["before it is routed", "while it is served"])
def test_a_cancelled_call_gives_its_replica_back_and_is_told_once(tmp_path: Path, served: bool) -> None:
    async def story() -> None:
        journal = ListJournal()
        async with live_world(service=BY_TOKENS) as world, _open(_url(tmp_path), journal=journal) as frontend:
            await _publish(frontend, world, KEY)
            call = asyncio.create_task(frontend.predict(MODEL, "Hello", max_tokens=LONG_MS))
            await asyncio.sleep(0)
            if served:
                await until("service", lambda: journal.of("served_from"))

            call.cancel()

            with pytest.raises(asyncio.CancelledError):
                await call
            assert journal.of("ended") == [("ended", 0, "CANCELLED", "client_left")]
            await frontend.predict(MODEL, "Hello")
        assert await _in_flight(_url(tmp_path)) == 0

    run(story)


def test_a_reader_that_leaves_a_stream_frees_its_replica(tmp_path: Path) -> None:
    async def story() -> None:
        journal = ListJournal()
        async with (
            live_world(service=BY_TOKENS, workers=1) as world,
            _open(_url(tmp_path), journal=journal) as frontend,
        ):
            await _publish(frontend, world, KEY)

            async with aclosing(frontend.stream(MODEL, "Hello", max_tokens=LONG_MS)) as pieces:
                assert await anext(pieces) == "first"

            await frontend.predict(MODEL, "Hello")
            assert journal.of("ended") == [("ended", 0, "CANCELLED", "client_left"), ("ended", 1, "COMPLETED", "")]

    run(story)


def test_calls_under_way_end_as_unavailable_when_the_frontend_closes(tmp_path: Path) -> None:
    async def story() -> None:
        journal = ListJournal()
        async with live_world(service=BY_TOKENS) as world:
            async with _open(_url(tmp_path), journal=journal) as frontend:
                await _publish(frontend, world, KEY)
                call = asyncio.create_task(frontend.predict(MODEL, "Hello", max_tokens=LONG_MS))
                await until("service", lambda: journal.of("served_from"))

            with pytest.raises(Unavailable, match="the frontend was closed"):
                await call
        assert await _in_flight(_url(tmp_path)) == 0

    run(story)


def test_a_journal_of_ones_own_is_told_every_decision_in_order(tmp_path: Path) -> None:
    async def story() -> None:
        journal = ListJournal()
        async with live_world(service=BY_TOKENS) as world, _open(_url(tmp_path), journal=journal) as frontend:
            await _publish(frontend, world, KEY)

            await frontend.predict(MODEL, "Hello")

            assert [entry[0] for entry in journal.told] == [
                "arrived",
                *(["lock_taken", "lock_released"] * 3),
                "picked",
                "probed",
                "vouched",
                *(["lock_taken", "lock_released"]),
                *(["lock_taken", "checked", "lock_released"]),
                "routed",
                "served_from",
                "first_token",
                "ended",
            ]

    run(story)


def test_a_token_goes_with_every_call(tmp_path: Path) -> None:
    async def story() -> None:
        async with live_world(token="secret") as world, _open(_url(tmp_path), token="secret") as frontend:
            await _publish(frontend, world, KEY)

            answer = await frontend.predict(MODEL, "Hello")

            assert answer.replica == KEY

    run(story)


@pytest.mark.parametrize(
    "settings",
    [{"profile": "newest"}, {"router": {"prope": {}}}, {"router": {"probe": {"ttl": "30"}}}],
    ids=["profile", "key", "value"],
)
def test_settings_that_are_no_routers_are_refused_at_once(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="RouterSpec"):
        Frontend("sqlite:///unused.db", **settings)


def test_a_frontend_that_is_not_open_says_how_to_open_it() -> None:
    frontend = Frontend("sqlite:///unused.db")

    with pytest.raises(RuntimeError, match="async with Frontend"):
        asyncio.run(frontend.predict(MODEL, "Hello"))


def test_without_the_extra_only_the_first_use_fails_and_says_what_to_install() -> None:
    script = "import sys\nsys.modules['grpc'] = None\nimport sim.live\nprint('imported')\nfrom sim.live import Frontend"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (1, "imported\n")
    assert done.stderr.splitlines()[-1].endswith("pip install 'llm-router-sim[live]'")


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'registry.db'}"


@asynccontextmanager
async def _open(url: str, **settings: Any) -> AsyncIterator[Frontend]:
    """Give a frontend on an empty registry."""
    async with Frontend(url, **settings) as frontend:
        await frontend.registry.reset()
        yield frontend


async def _publish(frontend: Frontend, world: LiveWorld, *keys: ReplicaKey) -> None:
    """Start the replicas with their model, and tell the registry of them."""
    await frontend.registry.register_node(NodeFacts(KEY.node, slots=4))
    for key in keys:
        await frontend.registry.publish(key, await world.workers.start_loaded(key), in_flight=0)


async def _in_flight(url: str) -> int:
    async with connect(url, AsyncioRuntime()) as registry:
        return await registry.total_in_flight()


class _Echo(ForeignBackend):
    """Streams the prompt back a byte at a time, as backends do that cut their text between tokens."""

    def PredictStream(self, request: PredictOptions, context: grpc.ServicerContext) -> Iterator[Reply]:  # noqa: N802
        for byte in request.Prompt.encode():
            yield Reply(message=bytes([byte]), tokens=request.Tokens)


@contextmanager
def _echo() -> Iterator[str]:
    """Serve it, and give its address."""
    server = grpc.server(ThreadPoolExecutor(max_workers=2))
    add_BackendServicer_to_server(_Echo(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()
