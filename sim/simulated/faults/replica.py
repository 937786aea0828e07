"""Faults of the processes that serve a model, and of starting them."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from sim.routing.replica import ReplicaKey
from sim.scenario.spec.faults.base import ReplicaTarget
from sim.scenario.spec.faults.replica import (
    LoadFailureFault,
    ReplicaAnswersForFault,
    ReplicaExitFault,
    ReplicaForgetsModelFault,
    ReplicaHangFault,
    RowLostFault,
    SlowStartFault,
)
from sim.simulated.faults.base import Fault, Luck, Window
from sim.simulated.nodes.backend import BackendProcess, LoadFailure
from sim.simulated.nodes.work_speed import VariableSpeed
from sim.simulated.stage import Stage

Condition = Callable[[BackendProcess], bool]


def _at_all(_process: BackendProcess) -> bool:
    return True


def _with_its_model(process: BackendProcess) -> bool:
    return process.model == process.key.model


def _idle(process: BackendProcess) -> bool:
    return process.workers.is_idle()


def _busy(process: BackendProcess) -> bool:
    return not process.workers.is_idle()


_CONDITIONS: Mapping[str, Condition] = {"any": _at_all, "idle": _idle, "busy": _busy}
"""By `when`. A load is work; a health call is none."""


class ReplicaExit(Fault):
    """A replica's process ends by itself."""

    def __init__(self, spec: ReplicaExitFault, _luck: Luck) -> None:
        self._spec = spec

    async def happen(self, stage: Stage) -> None:
        """End the process as soon as it is there and in the wanted state."""
        await stage.runtime.sleep(self._spec.at_ns)
        process = await _process(stage, self._spec, _CONDITIONS[self._spec.when])
        stage.journal.fault_struck(self._spec.kind, str(process.key))
        stage.workers.end(process.key, self._spec.kind)


class ReplicaHang(Fault):
    """A replica's process stands still."""

    def __init__(self, spec: ReplicaHangFault, _luck: Luck) -> None:
        self._spec = spec

    async def happen(self, stage: Stage) -> None:
        """Stop the process, and let it go on if the spell passes."""
        await stage.runtime.sleep(self._spec.at_ns)
        process = await _process(stage, self._spec, _at_all)
        # In a run with faults every process has one.
        speed = cast("VariableSpeed", process.speed)
        stage.journal.fault_struck(self._spec.kind, str(process.key))
        speed.stop()
        if self._spec.lasts_ns is not None:
            await stage.runtime.sleep(self._spec.lasts_ns)
            speed.go()


class ReplicaForgetsModel(Fault):
    """A replica's process holds its model no longer, until it is told to load it again."""

    def __init__(self, spec: ReplicaForgetsModelFault, _luck: Luck) -> None:
        self._spec = spec

    async def happen(self, stage: Stage) -> None:
        """Have the process drop its model as soon as it has it."""
        await stage.runtime.sleep(self._spec.at_ns)
        process = await _process(stage, self._spec, _with_its_model)
        stage.journal.fault_struck(self._spec.kind, str(process.key))
        process.hold(None)


class ReplicaAnswersFor(Fault):
    """A replica's process has gone, and one of another model answers at its address."""

    def __init__(self, spec: ReplicaAnswersForFault, _luck: Luck) -> None:
        self._spec = spec

    async def happen(self, stage: Stage) -> None:
        """Break off what the process does, and have the other model at its address; the worker notices nothing."""
        await stage.runtime.sleep(self._spec.at_ns)
        process = await _process(stage, self._spec, _with_its_model)
        stage.journal.fault_struck(self._spec.kind, str(process.key))
        stage.journal.process_ended(process.key, process.address, self._spec.kind)
        process.end(self._spec.kind)
        process.hold(self._spec.other)


class RowLost(Fault):
    """A replica's row is deleted, and its process knows nothing of it."""

    def __init__(self, spec: RowLostFault, _luck: Luck) -> None:
        self._spec = spec

    async def happen(self, stage: Stage) -> None:
        """Delete the row, if there is one, once no transaction holds it."""
        await stage.runtime.sleep(self._spec.at_ns)
        key, table = _key(self._spec), stage.database.table
        row = table.rows.get(key)
        if row is None:
            return
        await row.lock.acquire()
        if table.rows.get(key) is row:
            table.delete(key)
            stage.journal.fault_struck(self._spec.kind, str(key))
            stage.journal.row_removed(key, row.address, self._spec.kind, None)
        row.lock.release()


class SlowStart(Fault):
    """Processes of a model take their time to start."""

    def __init__(self, spec: SlowStartFault, _luck: Luck) -> None:
        self._spec = spec
        self._window = Window(spec.at_ns, spec.lasts_ns)

    async def happen(self, stage: Stage) -> None:
        """Have the workers ask here how long a start takes."""
        otherwise_ns = stage.workers.start_time_ns

        def start_time_ns(key: ReplicaKey) -> int:
            if not _is_meant(self._spec, key) or not self._window.holds(stage.runtime.now_ns()):
                return otherwise_ns(key)
            stage.journal.fault_struck(self._spec.kind, str(key))
            return self._spec.start_time_ns

        stage.workers.start_time_ns = start_time_ns


class FailingLoads(Fault):
    """Loads of a model fail."""

    def __init__(self, spec: LoadFailureFault, _luck: Luck) -> None:
        self._spec = spec
        self._window = Window(spec.at_ns, spec.lasts_ns)
        self._failed = 0

    async def happen(self, stage: Stage) -> None:
        """Have the processes ask here what becomes of a load."""
        otherwise = stage.workers.load_failure

        def load_failure(key: ReplicaKey) -> LoadFailure | None:
            if not _is_meant(self._spec, key) or not self._window.holds(stage.runtime.now_ns()) or self._is_over():
                return otherwise(key)
            self._failed += 1
            stage.journal.fault_struck(self._spec.kind, str(key))
            return LoadFailure(self._spec.kind, self._spec.after_ns)

        stage.workers.load_failure = load_failure

    def _is_over(self) -> bool:
        return self._spec.times is not None and self._failed >= self._spec.times


async def _process(stage: Stage, target: ReplicaTarget, is_so: Condition) -> BackendProcess:
    """Return the replica's process at the first moment at which it runs and is so."""
    running, turns = stage.workers.nodes[target.node].processes, stage.speeds[target.node].turns
    while True:
        process = running.get(_key(target))
        if process is not None and is_so(process):
            return process
        await turns.heard()


def _key(target: ReplicaTarget) -> ReplicaKey:
    return ReplicaKey(target.node, target.model, target.index)


def _is_meant(spec: SlowStartFault | LoadFailureFault, key: ReplicaKey) -> bool:
    return spec.model == key.model and spec.node in (None, key.node)


FAULTS: Mapping[type[Any], Callable[[Any, Luck], Fault]] = {
    ReplicaExitFault: ReplicaExit,
    ReplicaHangFault: ReplicaHang,
    ReplicaForgetsModelFault: ReplicaForgetsModel,
    ReplicaAnswersForFault: ReplicaAnswersFor,
    RowLostFault: RowLost,
    SlowStartFault: SlowStart,
    LoadFailureFault: FailingLoads,
}
"""What makes each kind of spec into a fault, by the spec's class."""
