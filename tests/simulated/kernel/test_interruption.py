"""Ctrl-C at any moment of the start of a task, as it may come in a notebook."""

import inspect
import sys
from types import FrameType
from typing import Any

from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.kernel.task import SimTask

_SOURCE, _FIRST_LINE = inspect.getsourcelines(SimTask.__init__)
LINES = range(_FIRST_LINE, _FIRST_LINE + len(_SOURCE))


class CtrlC:
    """Interrupts the constructor of a task before the line; a line without code interrupts nothing."""

    def __init__(self, line: int) -> None:
        self._line = line
        self.has_struck = False

    def __call__(self, frame: FrameType, event: str, _value: Any) -> "CtrlC | None":
        if frame.f_code is not SimTask.__init__.__code__:
            return None
        if event == "line" and frame.f_lineno == self._line and not self.has_struck:
            self.has_struck = True
            raise KeyboardInterrupt
        return self


def test_an_interruption_while_a_task_is_made_ends_the_run_as_itself() -> None:
    assert sum(is_interrupted_at(line) for line in LINES) > 5


def is_interrupted_at(line: int) -> bool:
    """Tell whether a run ended with the interruption at the line; any other error of the run is raised."""
    runtime, ctrl_c = SimulatedRuntime(), CtrlC(line)

    async def child() -> None: ...

    work = child()

    async def parent() -> None:
        before = sys.gettrace()
        sys.settrace(ctrl_c)
        try:
            runtime.spawn(work, "child")
        finally:
            sys.settrace(before)

    runtime.spawn(parent(), "parent")
    try:
        runtime.run_tasks(1)
    except KeyboardInterrupt:
        return True
    finally:
        # Python warns of a coroutine that nobody runs or closes.
        work.close()
    assert not ctrl_c.has_struck
    return False
