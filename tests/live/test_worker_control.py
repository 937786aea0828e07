"""Installs asked for over a socket, from the process that has the workers and from another one."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from sim.live.backend import GrpcDialer
from sim.live.runtime import AsyncioRuntime
from sim.live.worker_control import RemoteWorkers, serve_installs
from sim.routing import errors
from sim.routing.errors import CallError, Unavailable
from sim.routing.replica import ReplicaKey
from tests.live.workers import KEY, OTHER, live_world, run
from tests.twins import MODEL, ListJournal


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

    command = [sys.executable, "-m", "tests.live.supervisor", "serve", str(tmp_path / "control")]
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
            while not world.workers.pids():
                await asyncio.sleep(0.005)

            install.cancel()

            while world.workers.pids():
                await asyncio.sleep(0.005)
            assert install.cancelled()

    run(story)


def test_workers_that_are_stopped_during_a_remote_install_are_unavailable(tmp_path: Path) -> None:
    async def story() -> None:
        async with live_world(install_time="60s") as world:
            remote = RemoteWorkers(tmp_path / "control")
            await world.workers.serve(tmp_path / "control")
            install = world.runtime.spawn(remote.install(KEY), "install")
            while not world.workers.pids():
                await asyncio.sleep(0.005)

            await world.workers.stop_all()

            with pytest.raises(Unavailable):
                await install
            with pytest.raises(Unavailable, match="no workers answer"):
                await remote.install(KEY)

    run(story)


@pytest.mark.parametrize("name", ["CallError", "DeadlineExceeded", "Unavailable", "NoReplica", "Busy"])
def test_an_error_of_an_install_arrives_as_what_it_was(name: str, tmp_path: Path) -> None:
    kind: type[CallError] = getattr(errors, name)

    class FailingWorkers:
        async def install(self, key: ReplicaKey) -> str:
            raise kind(f"no room for {key}")

    async def story() -> None:
        server = await serve_installs(FailingWorkers(), tmp_path / "control")
        with pytest.raises(CallError, match="no room for node-1#0") as raised:
            await RemoteWorkers(tmp_path / "control").install(KEY)
        server.close()
        assert type(raised.value) is kind

    run(story)


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
