"""Replays a recorded live run through the routing code, on the simulated clock, and compares the decisions.

Each frontend is built from its scenario. Its ports answer from the recording: each step of the routing code begins at
its recorded time, in the recorded order, with the recorded answer or error. Everything that the code decides itself,
including the choice among the rows that a pick or an eviction saw, is computed again and compared line by line.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from sim.live.cluster.journal_log import JournalLog
from sim.live.recording.file import Recording
from sim.live.recording.lines import STEPS, Line, Transcript, for_request
from sim.live.recording.ports import build_recorded_frontend
from sim.programs.at_work import Programs
from sim.routing.request import Request
from sim.routing.settings import FrontendSettings
from sim.scenario.policies.making import policy_of
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.study.replay.world import Gates, ScriptedRuntime, scripted_ports


@dataclass(frozen=True, slots=True)
class Difference:
    """The first difference between a replay and the live run."""

    frontend: int
    recorded: Line | None
    """The recorded line; None if the live run did nothing more."""
    replayed: Line | None
    """The replayed line; None if the replay did nothing more."""

    @property
    def line(self) -> Line:
        """The recorded line, or else the replayed one."""
        return cast("Line", self.recorded or self.replayed)


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """The result of a replay."""

    decisions: int
    """Number of requests that were compared, from arrival to end."""
    first_difference: Difference | None

    @property
    def identical(self) -> bool:
        """Whether every decision was the recorded one."""
        return self.first_difference is None


def replay(recording: Recording, settings: FrontendSettings | None = None) -> ReplayResult:
    """Replay every frontend of the recording. Other `settings` than its own show what they change first."""
    with Programs() as programs:
        replays = [_Replay(recording, index, settings, programs) for index in range(len(recording.scripts))]
        differences = [difference for one in replays if (difference := one.run())]
    return ReplayResult(
        decisions=sum(len(script.arrivals) for script in recording.scripts),
        first_difference=min(differences, key=lambda difference: difference.line.t_ns, default=None),
    )


class _ComparedTranscript(Transcript):
    """A transcript that is compared with the recorded one while it is written."""

    def __init__(self, runtime: SimulatedRuntime, recorded: Sequence[Line]) -> None:
        super().__init__(runtime)
        self.difference: tuple[Line | None, Line | None] | None = None
        self._recorded = recorded
        self._next = 0

    def take(self, line: Line) -> None:
        """Compare the line. Nothing is compared after the first difference.

        Lines of the rows that a choice was made from are input, and are not compared.
        """
        if self.difference is None and line.kind != "saw":
            recorded = self._recorded[self._next] if self._next < len(self._recorded) else None
            if line != recorded:
                self.difference = (recorded, line)
            self._next += 1

    def is_at(self, place: int) -> bool:
        """Tell whether that many lines were written, all as recorded. Fewer lines are a difference."""
        if self.difference is None and self._next < place:
            self.difference = (self._recorded[self._next], None)
        return self.difference is None


class _Replay:
    """The replay of one frontend."""

    def __init__(self, recording: Recording, index: int, settings: FrontendSettings | None, programs: Programs) -> None:
        scenario, script = recording.scenario, recording.scripts[index]
        router = scenario.router_of(index)
        self._index = index
        self._script = script
        self._runtime = SimulatedRuntime()
        self._transcript = _ComparedTranscript(self._runtime, script.lines)
        self._gates = Gates(self._runtime, script, self._transcript)
        runtime = ScriptedRuntime(self._runtime, self._gates)
        ports = scripted_ports(runtime, self._gates, JournalLog(self._runtime))
        self._frontend = build_recorded_frontend(
            self._transcript,
            settings or router.settings(),
            ports,
            scenario.configs_by_model(),
            policy_of(router.policy, scenario.seed, index, programs),
        )
        self._difference: Difference | None = None

    def run(self) -> Difference | None:
        """Return the first difference, None if there is none."""
        self._runtime.spawn(self._lead_through(), "script")
        last_ns = self._script.lines[-1].t_ns if self._script.lines else 0
        self._runtime.run_tasks(horizon_ns=last_ns + 1)
        return self._difference

    async def _lead_through(self) -> None:
        """Begin one step after the other, as long as the code follows the script."""
        await self._runtime.sleep(0)
        lines = self._script.lines
        for place, line in enumerate(lines):
            if line.kind in STEPS:
                if not self._transcript.is_at(place):
                    break
                await self._begin_step(line)
        if not self._transcript.is_at(len(lines)) and self._transcript.difference is not None:
            self._difference = Difference(self._index, *self._transcript.difference)

    async def _begin_step(self, line: Line) -> None:
        await self._runtime.sleep(line.t_ns - self._runtime.now_ns())
        if line.kind == "arrived":
            request = self._script.arrivals[cast("int", line.request)]
            # Set here, because the task copies this context.
            for_request.set(request.id)
            self._runtime.spawn(self._served(request), "request")
        elif line.kind == "choosing":
            self._gates.choose(line)
        else:
            self._gates.open(line)
        # The code takes its step before this call returns.
        await self._runtime.sleep(0)

    async def _served(self, request: Request) -> None:
        # An error of the routing code is in the transcript.
        with suppress(Exception):
            await self._frontend.serve(request)
