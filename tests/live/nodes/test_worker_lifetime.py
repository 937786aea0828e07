"""No worker process outlives the process that started it, however that one ends."""

import signal
import subprocess
import sys

import pytest

from sim.live.nodes.from_scenario import worker_spec
from tests.live.workers import DRAWN, is_there, model_spec, node_spec, wait_until_gone
from tests.waiting import LIMIT_S


@pytest.mark.parametrize(
    ("way", "status"),
    [("success", 0), ("exception", 1), pytest.param("exit", 3, marks=pytest.mark.long)],
)
def test_no_worker_is_left_when_its_supervisor_ends(way: str, status: int) -> None:
    with _supervisor(way) as supervisor:
        pids = _pids(supervisor)

        assert supervisor.wait(LIMIT_S) == status

        assert not any(is_there(pid) for pid in pids)


def test_no_worker_is_left_when_its_supervisor_forgets_it() -> None:
    with _supervisor("forget") as supervisor:
        pids = _pids(supervisor)

        supervisor.wait(LIMIT_S)

        wait_until_gone(pids)


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda sent: sent.name)
def test_no_worker_is_left_when_its_supervisor_is_ended_by_a_signal(sent: signal.Signals) -> None:
    with _supervisor("wait") as supervisor:
        pids = _pids(supervisor)
        assert all(is_there(pid) for pid in pids)

        supervisor.send_signal(sent)

        assert supervisor.wait(LIMIT_S) != 0
        wait_until_gone(pids)


def test_a_worker_ignores_the_interrupt_that_is_meant_for_its_supervisor() -> None:
    with _worker() as worker:
        worker.send_signal(signal.SIGINT)

        with pytest.raises(subprocess.TimeoutExpired):
            worker.wait(0.3)
        worker.send_signal(signal.SIGTERM)

        assert worker.wait(LIMIT_S) == 0


def test_a_worker_obeys_on_after_an_order_that_it_does_not_know() -> None:
    with _worker() as worker:
        output, complaint = worker.communicate("dance\nanswer_for another\ncrash\n", LIMIT_S)

        assert output == '{"holds": "another"}\n'
        assert complaint == "not an order: dance\n"
        assert worker.returncode == 70


def _worker() -> subprocess.Popen[str]:
    """Start a worker as `LiveWorkers` does, and wait until it listens."""
    worker = _start("sim.live.nodes.worker_process")
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(worker_spec(node_spec(), model_spec(DRAWN, {})).to_line() + "\n")
    worker.stdin.flush()
    assert worker.stdout.readline().startswith('{"listening": "127.0.0.1:')
    return worker


def _supervisor(way: str) -> subprocess.Popen[str]:
    return _start("tests.live.nodes.supervisor", way)


def _start(module: str, *arguments: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-m", module, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def _pids(supervisor: subprocess.Popen[str]) -> list[int]:
    assert supervisor.stdout is not None
    pids = [int(pid) for pid in supervisor.stdout.readline().split()]
    assert pids
    return pids
