"""The workers of this machine: installs, the truth about processes, VRAM, and orders to misbehave."""

import asyncio

import pytest

from sim.routing.errors import DeadlineExceeded, ModelNotLoaded, Unavailable, WrongModel
from sim.routing.ports import RunningProcess
from sim.routing.replica import ReplicaKey
from tests.live.workers import (
    KEY,
    LONG_MS,
    MODEL_BYTES,
    NODE_BYTES,
    OTHER,
    live_world,
    request,
    run,
)
from tests.twins import MODEL, MS
from tests.waiting import in_time, until


def test_an_install_starts_a_process_once_and_then_answers_at_once() -> None:
    async def story() -> None:
        async with live_world(install_time="700ms") as world:
            begun_ns = world.runtime.now_ns()
            first = await world.workers.install(KEY)
            assert world.runtime.now_ns() - begun_ns >= 700 * MS
            # The answer is there before anybody can be waited for.
            again = asyncio.create_task(world.workers.install(KEY))
            await asyncio.sleep(0)
            assert again.done()
            second = again.result()

            assert second == first
            assert world.journal.told == [
                ("install_started", "node-1#0", False),
                ("install_started", "node-1#0", True),
            ]
            await world.dial(first).health()
            with pytest.raises(ModelNotLoaded):
                await world.dial(first).predict(request())

    run(story)


def test_simultaneous_installs_of_one_replica_start_one_process() -> None:
    async def story() -> None:
        async with live_world() as world:
            addresses = await asyncio.gather(*(world.workers.install(KEY) for _ in range(3)))

            assert len(set(addresses)) == 1
            assert [redundant for _, _, redundant in world.journal.told] == [False, True, True]

    run(story)


def test_an_install_on_a_node_without_a_worker_is_unavailable() -> None:
    async def story() -> None:
        async with live_world() as world:
            with pytest.raises(Unavailable, match="no worker answers on nowhere"):
                await world.workers.install(ReplicaKey("nowhere", MODEL, 0))

    run(story)


def test_an_install_given_up_leaves_no_process() -> None:
    async def story() -> None:
        async with live_world(install_time="60s") as world:
            with pytest.raises(DeadlineExceeded):
                await world.runtime.within(900 * MS, world.workers.install(KEY))

            with pytest.raises(Unavailable, match="does not run"):
                world.workers.kill(KEY)
            await in_time("the start of a process", world.workers.start(KEY))

    run(story)


def test_the_truth_about_an_address_follows_its_process() -> None:
    async def story() -> None:
        async with live_world() as world:
            killed, stopped = await asyncio.gather(world.workers.start(KEY), world.workers.start(OTHER))
            assert world.workers.is_alive(killed)
            assert world.workers.is_alive(stopped)

            world.workers.kill(KEY)
            await world.workers.stop(OTHER)

            assert not world.workers.is_alive(killed)
            assert not world.workers.is_alive(stopped)
            assert not world.workers.is_alive("127.0.0.1:1")
            reinstalled = await world.workers.install(KEY)
            assert world.workers.is_alive(reinstalled)
            assert world.journal.told == [
                ("process_ended", "node-1#0", "killed"),
                ("process_ended", "node-1#1", "stopped"),
                ("install_started", "node-1#0", False),
            ]

    run(story)


def test_a_replica_that_runs_is_not_started_again() -> None:
    async def story() -> None:
        async with live_world() as world:
            await world.workers.start(KEY)

            with pytest.raises(ValueError, match="node-1#0 runs already"):
                await world.workers.start(KEY)

    run(story)


def test_a_process_that_cannot_listen_is_unavailable() -> None:
    async def story() -> None:
        async with live_world() as world:
            taken = await world.workers.start(KEY)

            with pytest.raises(Unavailable, match="the process ended, with status 1"):
                await world.workers.start(OTHER, port=int(taken.rpartition(":")[2]))

    run(story)


def test_a_stop_cuts_a_running_request_off_at_once() -> None:
    async def story() -> None:
        async with live_world() as world:
            predict = world.predict(await world.loaded(), LONG_MS)
            await until("service", lambda: world.journal.of("served_from"))

            await world.workers.stop(KEY)

            with pytest.raises(Unavailable):
                await predict

    run(story)


def test_a_process_is_stopped_once_and_then_installed_anew() -> None:
    async def story() -> None:
        async with live_world() as world:
            first = await world.workers.install(KEY)

            await asyncio.gather(world.workers.stop(KEY), world.workers.stop(KEY), world.workers.install(KEY))

            assert not world.workers.is_alive(first)
            assert world.journal.told == [
                ("install_started", "node-1#0", False),
                ("process_ended", "node-1#0", "stopped"),
                ("install_started", "node-1#0", False),
            ]

    run(story)


def test_the_process_table_lists_what_runs_in_the_order_of_the_starts() -> None:
    async def story() -> None:
        async with live_world() as world:
            await world.workers.start(KEY)
            other = await world.workers.start(OTHER)
            await world.workers.stop(KEY)
            again = await world.workers.start(KEY)

            assert await world.workers.processes(KEY.node) == [
                RunningProcess(OTHER, other),
                RunningProcess(KEY, again),
            ]
            world.workers.crash(OTHER)
            ended = ("process_ended", "node-1#1", "ended")
            await until("the process to end", lambda: world.journal.of("process_ended")[-1] == ended)

            assert await world.workers.processes(KEY.node) == [RunningProcess(KEY, again)]

    run(story)


def test_a_process_that_is_still_being_installed_is_not_listed() -> None:
    async def story() -> None:
        async with live_world(install_time="60s") as world:
            install = asyncio.create_task(world.workers.install(KEY))
            await until("what the worker tells", lambda: bool(world.workers.addresses()))

            assert await world.workers.processes(KEY.node) == []
            await world.workers.unload(KEY.node, MODEL)
            install.cancel()
            await asyncio.gather(install, return_exceptions=True)

            assert world.journal.of("process_ended") == []

    run(story)


def test_an_unload_empties_the_first_process_of_the_node_and_ends_none() -> None:
    async def story() -> None:
        async with live_world() as world:
            first = world.dial(await world.workers.start_loaded(KEY))
            other = world.dial(await world.workers.start_loaded(OTHER))

            await world.workers.unload(KEY.node, MODEL)

            assert (await first.status(), await other.status()) == ("UNINITIALIZED", "READY")
            assert len(await world.workers.processes(KEY.node)) == 2

    run(story)


def test_an_unload_where_nothing_runs_does_nothing() -> None:
    async def story() -> None:
        async with live_world() as world:
            await world.workers.unload(KEY.node, MODEL)

            assert await world.workers.processes(KEY.node) == []

    run(story)


def test_a_node_without_a_worker_is_unavailable_to_every_call() -> None:
    async def story() -> None:
        async with live_world() as world:
            for call in (
                world.workers.stop(ReplicaKey("nowhere", MODEL, 0)),
                world.workers.unload("nowhere", MODEL),
                world.workers.processes("nowhere"),
            ):
                with pytest.raises(Unavailable, match="no worker answers on nowhere"):
                    await call

    run(story)


def test_vram_is_held_while_a_process_holds_its_model() -> None:
    async def story() -> None:
        async with live_world() as world:
            one, none = NODE_BYTES - MODEL_BYTES, NODE_BYTES
            await world.workers.start_loaded(KEY)
            other = world.dial(await world.workers.start(OTHER))
            assert world.free_vram == [none, one]

            await other.load_model(MODEL)
            await other.load_model(MODEL)
            await other.free()
            await until("what the worker tells", lambda: len(world.free_vram) == 4)
            world.workers.kill(KEY)
            await until("what the worker tells", lambda: len(world.free_vram) == 5)

            assert world.free_vram == [none, one, one - MODEL_BYTES, one, none]

    run(story)


def test_an_order_to_crash_ends_the_process_mid_stream() -> None:
    async def story() -> None:
        async with live_world() as world:
            predict = world.predict(await world.loaded(), LONG_MS)
            await until("service", lambda: world.journal.of("served_from"))

            world.workers.crash(KEY)

            with pytest.raises(Unavailable):
                await predict

    run(story)


def test_a_process_that_hangs_is_there_and_answers_nothing() -> None:
    async def story() -> None:
        async with live_world(workers=2) as world:
            backend = await world.loaded()
            under_way = world.predict(backend, 400)
            await world.hang(backend)

            for call in (backend.status(), backend.load_model(MODEL), backend.predict(request())):
                with pytest.raises(DeadlineExceeded):
                    await world.runtime.within(50 * MS, call)
            await asyncio.sleep(0.5)

            assert not under_way.done()
            assert world.workers.is_alive(await world.workers.install(KEY))

    run(story)


def test_a_process_that_drops_its_model_stays_well_and_says_so() -> None:
    async def story() -> None:
        async with live_world() as world:
            backend = await world.loaded()

            world.workers.drop_model(KEY)
            await until("what the worker tells", lambda: world.free_vram[-1] == NODE_BYTES)

            await backend.health()
            with pytest.raises(ModelNotLoaded):
                await backend.predict(request())

    run(story)


def test_a_process_that_answers_for_another_model_is_found_out() -> None:
    async def story() -> None:
        async with live_world() as world:
            backend = await world.loaded()

            world.workers.answer_for(KEY, "another")
            # The order has been obeyed when the worker tells of its change.
            await until("what the worker tells", lambda: len(world.free_vram) == 3)

            with pytest.raises(WrongModel):
                await backend.predict(request())

    run(story)
