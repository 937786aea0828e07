"""Workers asked over a socket, from the process that has them and from another one."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from sim.live.nodes.backend import GrpcDialer
from sim.live.nodes.worker_control import ERRORS, RemoteWorkers, serve_workers
from sim.live.runtime import AsyncioRuntime
from sim.routing.errors import CallError, ModelNotLoaded, Unavailable
from sim.routing.ports import RunningProcess
from sim.routing.replica import ReplicaKey
from tests.live.workers import KEY, OTHER, live_world, request, run
from tests.twins import MODEL, ListJournal
from tests.waiting import until


def test_a_frontend_in_another_process_installs_and_reaches_a_worker(tmp_path: Path) -> None:
    async def story() -> None:
        runtime = AsyncioRuntime()
        remote, dialer = RemoteWorkers(tmp_path / "control"), GrpcDialer(runtime, ListJournal())
        first, other = await asyncio.gather(remote.install(KEY), remote.install(OTHER))
        assert await remote.install(KEY) == first != other

        await dialer.dial(KEY, first).load_model(MODEL)
        assert remote.is_alive(first)
        with pytest.raises(Unavailable, match="no worker answers on nowhere"):
            await remote.install(ReplicaKey("nowhere", MODEL, 0))

        await dialer.close()

    command = [sys.executable, "-m", "tests.live.nodes.supervisor", "serve", str(tmp_path / "control")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == "serving\n"
        run(story)
        output, _ = supervisor.communicate()
    assert output == "False False True\n"


def test_an_install_given_up_by_a_remote_caller_leaves_no_process(tmp_path: Path) -> None:
    async def story() -> None:
        async with live_world(install_time="60s") as world:
            await world.workers.serve(tmp_path / "control")
            install = world.runtime.spawn(RemoteWorkers(tmp_path / "control").install(KEY), "install")
            await until("a process", world.pids)

            install.cancel()

            await until("the process to end", lambda: not world.pids())
            assert install.cancelled()

    run(story)


def test_workers_that_are_stopped_during_a_remote_install_are_unavailable(tmp_path: Path) -> None:
    async def story() -> None:
        async with live_world(install_time="60s") as world:
            remote = RemoteWorkers(tmp_path / "control")
            await world.workers.serve(tmp_path / "control")
            install = world.runtime.spawn(remote.install(KEY), "install")
            await until("a process", world.pids)

            await world.workers.stop_all()

            with pytest.raises(Unavailable):
                await install
            with pytest.raises(Unavailable, match="no workers answer"):
                await remote.install(KEY)

    run(story)


def test_every_call_is_passed_on_and_answered(tmp_path: Path) -> None:
    async def story() -> None:
        async with live_world() as world:
            remote = RemoteWorkers(tmp_path / "control")
            await world.workers.serve(tmp_path / "control")
            first, other = await world.workers.start_loaded(KEY), await world.workers.start_loaded(OTHER)
            assert await remote.processes(KEY.node) == [RunningProcess(KEY, first), RunningProcess(OTHER, other)]

            await remote.unload(KEY.node, MODEL)
            await remote.stop(OTHER)
            await remote.stop(OTHER)

            assert await remote.processes(KEY.node) == [RunningProcess(KEY, first)]
            with pytest.raises(ModelNotLoaded):
                await world.dial(first).predict(request())

    run(story)


class FailingWorkers:
    """Workers whose every call ends with the error."""

    def __init__(self, kind: type[CallError]) -> None:
        self._error = kind("no room")

    async def install(self, key: ReplicaKey) -> str:
        raise self._error

    async def stop(self, key: ReplicaKey) -> None:
        raise self._error

    async def unload(self, node: str, model: str) -> None:
        raise self._error

    async def processes(self, node: str) -> Sequence[RunningProcess]:
        raise self._error


@pytest.mark.parametrize("kind", ERRORS.values(), ids=ERRORS)
def test_an_error_of_a_call_arrives_as_what_it_was(kind: type[CallError], tmp_path: Path) -> None:
    async def story() -> None:
        server = await serve_workers(FailingWorkers(kind), tmp_path / "control")
        remote = RemoteWorkers(tmp_path / "control")
        for call in (remote.install(KEY), remote.stop(KEY), remote.unload("a", MODEL), remote.processes("a")):
            with pytest.raises(CallError, match="no room") as raised:
                await call
            assert type(raised.value) is kind
        server.close()

    run(story)


def test_every_error_of_a_port_is_known_by_its_name() -> None:
    assert {"CallError", "DeadlineExceeded", "Unavailable", "NoReplica", "NoMatchingNode", "Busy"} <= ERRORS.keys()
    assert all(name == kind.__name__ for name, kind in ERRORS.items())


def test_an_address_is_alive_while_its_process_listens(tmp_path: Path) -> None:
    async def story() -> None:
        async with live_world() as world:
            address = await world.workers.start(KEY)
            remote = RemoteWorkers(tmp_path / "control")
            assert remote.is_alive(address)
            await world.hang(world.dial(address))
            assert remote.is_alive(address)

            world.workers.kill(KEY)

            assert not remote.is_alive(address)

    run(story)
