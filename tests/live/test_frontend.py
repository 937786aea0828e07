"""The router in a service of one's own, against real workers, a real registry, and a backend that is not ours."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from sim.live import Frontend
from sim.live.proto.backend_pb2 import PredictOptions, Reply
from sim.live.proto.backend_pb2_grpc import add_BackendServicer_to_server
from sim.routing.fleet import NodeFacts
from sim.routing.policies.port import PolicyError, ReplicaView, RequestView
from tests.live.frontends import in_flight, open_frontend, publish, sqlite_url
from tests.live.nodes.test_backend_foreign import ForeignBackend
from tests.live.workers import BY_TOKENS, DRAWN, KEY, OTHER, live_world, run
from tests.twins import MODEL, ListJournal


def test_prompts_are_spread_over_the_replicas_and_answered(database_url: str) -> None:
    async def story() -> None:
        async with live_world(service=BY_TOKENS) as world, open_frontend(database_url, profile="hardened") as frontend:
            await publish(frontend, world, KEY, OTHER)

            answers = await asyncio.gather(*(frontend.predict(MODEL, "How are you?", max_tokens=50) for _ in range(6)))

            assert {answer.replica for answer in answers} == {KEY, OTHER}
            assert {(answer.text, answer.tokens) for answer in answers} == {("firstlast", 50)}
            assert all(0 < (answer.first_token_s or 0) < answer.total_s for answer in answers)
        assert await in_flight(database_url) == 0

    run(story)


def test_a_policy_of_ones_own_picks_the_replica_and_its_mistake_reaches_the_caller(tmp_path: Path) -> None:
    def the_other(replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        return (
            next(replica for replica in replicas if replica.replica_index == OTHER.replica_index)
            if request.id < 4
            else replicas[9]
        )

    async def story() -> None:
        async with (
            live_world(service=BY_TOKENS) as world,
            open_frontend(sqlite_url(tmp_path), policy=the_other) as frontend,
        ):
            await publish(frontend, world, KEY, OTHER)

            answers = [await frontend.predict(MODEL, "Hello", max_tokens=5) for _ in range(4)]

            assert {answer.replica for answer in answers} == {OTHER}
            with pytest.raises(PolicyError, match="the_other raised IndexError"):
                await frontend.predict(MODEL, "Hello", max_tokens=5)
        assert await in_flight(sqlite_url(tmp_path)) == 0

    run(story)


def test_a_prompt_goes_where_its_beginning_went(tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            live_world(service=BY_TOKENS) as world,
            open_frontend(sqlite_url(tmp_path), router={"policy": "prefix_cache"}) as frontend,
        ):
            await publish(frontend, world, KEY, OTHER)

            prompts = [f"{letter * 600} and {number}" for number in range(3) for letter in "xyy"]
            answers = [await frontend.predict(MODEL, prompt, max_tokens=1) for prompt in prompts]

            assert [answer.replica for answer in answers] == [KEY, OTHER, OTHER] * 3

    run(story)


def test_an_answer_in_one_piece_tells_no_first_token(tmp_path: Path) -> None:
    async def story() -> None:
        async with live_world(service=DRAWN) as world, open_frontend(sqlite_url(tmp_path)) as frontend:
            await publish(frontend, world, KEY)

            answer = await frontend.predict(MODEL, "Hello")

            assert (answer.text, answer.first_token_s) == ("last", None)

    run(story)


def test_a_stream_gives_the_answer_piece_by_piece(tmp_path: Path) -> None:
    async def story() -> None:
        async with live_world(service=BY_TOKENS) as world, open_frontend(sqlite_url(tmp_path)) as frontend:
            await publish(frontend, world, KEY)

            pieces = [piece async for piece in frontend.stream(MODEL, "Hello", max_tokens=20)]

            assert pieces == ["first", "last"]

    run(story)


def test_a_backend_gets_the_prompt_and_its_characters_come_back_whole(tmp_path: Path) -> None:
    async def story() -> None:
        with _echo() as address:
            async with open_frontend(sqlite_url(tmp_path)) as frontend:
                await frontend.registry.register_node(NodeFacts(KEY.node))
                await frontend.registry.publish(KEY, address, in_flight=0)

                answer = await frontend.predict(MODEL, "déjà vu", max_tokens=7)
                pieces = [piece async for piece in frontend.stream(MODEL, "déjà vu", max_tokens=7)]

                assert (answer.text, answer.tokens) == ("déjà vu", 7)
                assert pieces == list("déjà vu")

    run(story)


def test_a_journal_of_ones_own_is_told_every_decision_in_order(tmp_path: Path) -> None:
    async def story() -> None:
        journal = ListJournal()
        async with (
            live_world(service=BY_TOKENS) as world,
            open_frontend(sqlite_url(tmp_path), journal=journal) as frontend,
        ):
            await publish(frontend, world, KEY)

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
        async with live_world(token="secret") as world, open_frontend(sqlite_url(tmp_path), token="secret") as frontend:
            await publish(frontend, world, KEY)

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


def test_retries_are_refused() -> None:
    with pytest.raises(ValueError, match=r"router\.retry: found throttled; allowed: none"):
        Frontend("sqlite:///unused.db", router={"retry": "throttled"})


def test_a_frontend_that_is_not_open_says_how_to_open_it() -> None:
    frontend = Frontend("sqlite:///unused.db")

    with pytest.raises(RuntimeError, match="async with Frontend"):
        asyncio.run(frontend.predict(MODEL, "Hello"))


def test_without_the_extra_only_the_first_use_fails_and_says_what_to_install() -> None:
    script = "import sys\nsys.modules['grpc'] = None\nimport sim.live\nprint('imported')\nfrom sim.live import Frontend"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (1, "imported\n")
    assert done.stderr.splitlines()[-1].endswith("pip install 'llm-router-sim[live]'")


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
