"""The world of a replay, beyond the end of the recording."""

from inspect import CORO_CLOSED, getcoroutinestate

from sim.live.recording.lines import Transcript
from sim.live.recording.script import Script
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.study.replay.world import Gates, ScriptedRuntime


def test_work_that_a_request_leaves_behind_when_the_replay_ends_is_closed_with_it() -> None:
    simulated = SimulatedRuntime()
    runtime = ScriptedRuntime(simulated, Gates(simulated, Script(), Transcript(simulated)))
    begun: list[str] = []

    async def clean_up() -> None:
        begun.append("cleaning up")

    left_behind = clean_up()

    async def request() -> None:
        try:
            await simulated.future()
        finally:
            runtime.spawn(left_behind, "clean up")

    simulated.spawn(request(), "request")
    simulated.run_tasks(1)

    assert getcoroutinestate(left_behind) == CORO_CLOSED
    assert begun == []
