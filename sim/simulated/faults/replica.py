"""Faults of the processes that serve a model, and of starting them."""

from collections.abc import Callable, Mapping
from typing import cast

from sim.routing.errors import CallError
from sim.routing.replica import ReplicaKey
from sim.scenario.spec.faults.base import ReplicaTarget
from sim.scenario.spec.faults.replica import (
    LoadFailureFault,
    ModelEditFault,
    ReplicaAnswersForFault,
    ReplicaExitFault,
    ReplicaForgetsModelFault,
    ReplicaHangFault,
    RowLostFault,
    SlowStartFault,
)
from sim.simulated.faults.base import Fault, LastingFault, Luck, effect_of
from sim.simulated.nodes.backend import BackendProcess, LoadFailure
from sim.simulated.nodes.work_speed import VariableSpeed
from sim.simulated.parts import Parts

Condition = Callable[[BackendProcess], bool]


def _at_all(_process: BackendProcess) -> bool:
    return True


def _with_its_model(process: BackendProcess) -> bool:
    return process.model == process.key.model


def _idle(process: BackendProcess) -> bool:
    return process.engine.is_idle()


def _busy(process: BackendProcess) -> bool:
    return not process.engine.is_idle()


_CONDITIONS: Mapping[str, Condition] = {"any": _at_all, "idle": _idle, "busy": _busy}
"""By `when`. A process that loads a model is busy; one that answers a health call is not."""


@effect_of(ReplicaExitFault)
class ReplicaExit(Fault[ReplicaExitFault]):
    """A replica's process ends by itself."""

    async def happen(self) -> None:
        """End the process at the first moment at which it runs and is in the wanted state."""
        await self.parts.runtime.sleep(self.spec.at_ns)
        process = await _process(self.parts, self.spec, _CONDITIONS[self.spec.when])
        self.struck(str(process.key))
        self.parts.workers.end(process.key, self.spec.kind)


@effect_of(ReplicaHangFault)
class ReplicaHang(Fault[ReplicaHangFault]):
    """A replica's process stands still."""

    async def happen(self) -> None:
        await self.parts.runtime.sleep(self.spec.at_ns)
        process = await _process(self.parts, self.spec, _at_all)
        # In a run with faults every process has one.
        speed = cast("VariableSpeed", process.speed)
        self.struck(str(process.key))
        speed.stop()
        if self.spec.lasts_ns is not None:
            await self.parts.runtime.sleep(self.spec.lasts_ns)
            speed.go()


@effect_of(ReplicaForgetsModelFault)
class ReplicaForgetsModel(Fault[ReplicaForgetsModelFault]):
    """A replica's process loses its model until it is told to load it again."""

    async def happen(self) -> None:
        """Drop the model at the first moment at which the process holds it."""
        await self.parts.runtime.sleep(self.spec.at_ns)
        process = await _process(self.parts, self.spec, _with_its_model)
        self.struck(str(process.key))
        process.hold(None)


@effect_of(ReplicaAnswersForFault)
class ReplicaAnswersFor(Fault[ReplicaAnswersForFault]):
    """A process of another model answers at the address of a replica whose process has gone."""

    async def happen(self) -> None:
        """End the process's calls and put the other model at its address. The worker does not notice."""
        await self.parts.runtime.sleep(self.spec.at_ns)
        process = await _process(self.parts, self.spec, _with_its_model)
        self.struck(str(process.key))
        self.parts.journal.process_ended(process.key, process.address, self.spec.kind)
        process.end(self.spec.kind)
        process.hold(self.spec.other)


@effect_of(RowLostFault)
class RowLost(Fault[RowLostFault]):
    """A replica's row is deleted while its process goes on."""

    async def happen(self) -> None:
        """Delete the row, if there is one, as soon as no transaction holds its lock."""
        await self.parts.runtime.sleep(self.spec.at_ns)
        key, table = _key(self.spec), self.parts.database.table
        row = table.rows.get(key)
        if row is None:
            return
        await row.lock.acquire()
        if table.rows.get(key) is row:
            table.delete(key)
            self.struck(str(key))
            self.parts.journal.row_removed(key, row.address, self.spec.kind, None)
        row.lock.release()


@effect_of(ModelEditFault)
class ModelEdit(Fault[ModelEditFault]):
    """A model gets new options."""

    async def happen(self) -> None:
        """Tell the frontend, unless it is down. If the registry does not take the edit, there is none."""
        await self.parts.runtime.sleep(self.spec.at_ns)
        frontend, model = self.parts.frontends[self.spec.frontend].frontend, self.spec.model
        if frontend is None:
            return
        try:
            await frontend.edits.edited(model, f"edited at {self.parts.runtime.now_ns()} ns")
        except CallError:
            return
        self.struck(model)


@effect_of(SlowStartFault)
class SlowStart(LastingFault[SlowStartFault]):
    """Processes of a model start slowly."""

    def __init__(self, spec: SlowStartFault, parts: Parts, luck: Luck) -> None:
        super().__init__(spec, parts, luck)
        self._otherwise_ns = parts.workers.start_time_ns
        parts.workers.start_time_ns = self._start_time_ns

    def _start_time_ns(self, key: ReplicaKey) -> int:
        if not _is_meant(self.spec, key) or not self.is_active():
            return self._otherwise_ns(key)
        self.struck(str(key))
        return self.spec.start_time_ns


@effect_of(LoadFailureFault)
class FailingLoads(LastingFault[LoadFailureFault]):
    """Loads of a model fail."""

    def __init__(self, spec: LoadFailureFault, parts: Parts, luck: Luck) -> None:
        super().__init__(spec, parts, luck)
        self._failed = 0
        self._otherwise = parts.workers.load_failure
        parts.workers.load_failure = self._load_failure

    def _load_failure(self, key: ReplicaKey) -> LoadFailure | None:
        if not _is_meant(self.spec, key) or not self.is_active() or self._is_over():
            return self._otherwise(key)
        self._failed += 1
        self.struck(str(key))
        return LoadFailure(self.spec.kind, self.spec.after_ns)

    def _is_over(self) -> bool:
        return self.spec.times is not None and self._failed >= self.spec.times


async def _process(parts: Parts, target: ReplicaTarget, is_so: Condition) -> BackendProcess:
    """Wait for the first moment at which the replica's process runs and meets the condition; return the process."""
    running, turns = parts.workers.nodes[target.node].processes, parts.speeds[target.node].turns
    while True:
        process = running.get(_key(target))
        if process is not None and is_so(process):
            return process
        await turns.heard()


def _key(target: ReplicaTarget) -> ReplicaKey:
    return ReplicaKey(target.node, target.model, target.index)


def _is_meant(spec: SlowStartFault | LoadFailureFault, key: ReplicaKey) -> bool:
    return spec.model == key.model and spec.node in (None, key.node)
