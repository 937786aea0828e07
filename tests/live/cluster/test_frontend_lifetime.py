"""No frontend process outlives the process that started it."""

import subprocess
import sys

from tests.live.workers import wait_until_gone


def test_a_frontend_that_is_not_ready_yet_ends_with_its_parent() -> None:
    command = [sys.executable, "-m", "tests.live.cluster.frontend_parent"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        (pid,) = [int(pid) for pid in parent.stdout.readline().split()]

        parent.kill()

    wait_until_gone([pid])
