"""All programs that pick in one run: when they start, and that none outlives it."""

import json
from contextlib import ExitStack
from types import TracebackType
from typing import NamedTuple, Self

from sim.clean_up import cleaned_up_by
from sim.programs.policy import ProgramPolicy
from sim.programs.process import LIMITS, Limits, Program, ProgramProcess
from sim.programs.protocol import PROTOCOL
from sim.routing.policies.port import PolicyContext, PolicyError

MOST_PROGRAM_SEED = 2**32 - 1
"""Any language can hold it in a number."""


def variables(context: PolicyContext) -> dict[str, str]:
    """Return the environment variables that tell a program whom it picks for; the seed is drawn from the context."""
    return {
        "SIM_PROTOCOL": str(PROTOCOL),
        "SIM_FRONTEND": str(context.frontend),
        "SIM_SEED": str(context.random.randrange(MOST_PROGRAM_SEED + 1)),
        "SIM_PARAMETERS": json.dumps(dict(context.parameters)),
    }


class _AtWork(NamedTuple):
    label: str
    process: ProgramProcess


class Programs:
    """The programs of one run, one for each frontend. They end with the block, or with us if a signal ends us in it."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._at_work: dict[int, _AtWork] = {}
        """By frontend."""
        self._signals = ExitStack()

    def start(self, program: Program, context: PolicyContext, label: str) -> ProgramPolicy:
        """Start the program for the context's frontend; `label` names it in errors.

        A frontend that comes back after a crash gets a new program in place of the one that it had. Raises PolicyError
        if the program cannot be started.
        """
        earlier = self._at_work.pop(context.frontend, None)
        if earlier is not None:
            earlier.process.close()
        try:
            process = ProgramProcess(program, variables(context), self._limits)
        except PolicyError as error:
            raise PolicyError(f"{label} {error}") from None
        self._at_work[context.frontend] = _AtWork(label, process)
        return ProgramPolicy(process, context.clock)

    def __enter__(self) -> Self:
        self._signals.enter_context(cleaned_up_by(self._kill))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all programs; if all went well until now, PolicyError for one that has written without being asked."""
        with self._signals:
            try:
                if kind is None:
                    self._finish()
            finally:
                for one in self._at_work.values():
                    one.process.close()

    def _finish(self) -> None:
        for one in self._at_work.values():
            one.process.end_input()
        for label, process in self._at_work.values():
            try:
                process.finish()
            except PolicyError as error:
                raise PolicyError(f"{label} {error}") from None

    def _kill(self) -> None:
        for one in self._at_work.values():
            one.process.kill()
