"""A program as the policy of one frontend."""

from collections.abc import Collection, Sequence

from sim.programs.process import ProgramProcess
from sim.programs.protocol import BadAnswer, ended_line, parse_answer, pick_line, sent_line
from sim.routing.policies.port import PolicyClock, ReplicaView, RequestView


class ProgramPolicy:
    """Leaves each pick to the program. Raises PolicyError, which says what the program did wrong."""

    def __init__(self, process: ProgramProcess, clock: PolicyClock) -> None:
        self._process = process
        self._clock = clock
        self._told: Collection[str] = ()
        """The events that the program wants to be told of."""

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return the replica that the program picks. It is not asked where there is nothing to pick."""
        if not replicas:
            return None
        line = self._process.ask(pick_line(self._clock.now_ns(), request, replicas))
        try:
            answer = parse_answer(line, len(replicas))
        except BadAnswer as error:
            raise self._process.failure(str(error)) from None
        if answer.tell is not None:
            self._told = answer.tell
        return None if answer.index is None else replicas[answer.index]

    def sent(self, replica: ReplicaView, request: RequestView) -> None:
        """Tell the program, if it wants to know."""
        if "sent" in self._told:
            self._process.tell(sent_line(self._clock.now_ns(), request, replica))

    def ended(self, replica: ReplicaView, request: RequestView, outcome: str, duration_ns: int) -> None:
        """Tell the program, if it wants to know."""
        if "ended" in self._told:
            self._process.tell(ended_line(self._clock.now_ns(), request, replica, outcome, duration_ns))
