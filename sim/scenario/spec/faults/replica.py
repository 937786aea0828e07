"""Faults of the processes that serve a model, and of starting them.

R1   replica_exit, when: idle
R2   replica_exit, when: busy
R3   replica_hang
R4   no kind: health calls wait behind requests with models.backend, health: serialized and its workers
R5   replica_answers_for
R6   slow_start
R7   load_failure
R8   replica_forgets_model
R9   row_lost
R10  model_edit
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from sim.scenario.spec.base import Spec, wrong
from sim.scenario.spec.faults.base import FrontendTarget, OnsetFault, ReplicaTarget, TimedFault
from sim.scenario.text.units import Duration


class ReplicaExitFault(ReplicaTarget, TimedFault):
    """Ends a replica's process, and with it the requests in it; its row stays."""

    kind: Literal["replica_exit"]
    when: Literal["any", "idle", "busy"] = "any"
    """State of the process at which it ends, at the first such moment from `at` on."""


class ReplicaHangFault(ReplicaTarget, OnsetFault):
    """Freezes a replica's process: it accepts nothing more and answers nothing."""

    kind: Literal["replica_hang"]


class ReplicaForgetsModelFault(ReplicaTarget, TimedFault):
    """Makes a replica's process answer from then on that the model is not loaded."""

    kind: Literal["replica_forgets_model"]


class ReplicaAnswersForFault(ReplicaTarget, TimedFault):
    """Puts another model's process at a replica's address. It answers health calls as the replica would."""

    kind: Literal["replica_answers_for"]
    other: str
    """Name of the model that is served at the address from then on."""

    @model_validator(mode="after")
    def _really_another(self) -> Self:
        if self.other == self.model:
            raise wrong("other", "found the replica's own model; allowed: another one")
        return self


class RowLostFault(ReplicaTarget, TimedFault):
    """Deletes a replica's row, while its process stays and goes on working."""

    kind: Literal["row_lost"]


class ModelEditFault(FrontendTarget, TimedFault):
    """Has somebody edit a model's options through a frontend; loads from then on use the new ones."""

    kind: Literal["model_edit"]
    model: str
    """Name of the model."""


class _LoadFault(Spec):
    model: str
    """Name of the model whose processes are hit."""
    node: str | None = None
    """Name of the node whose processes are hit; all nodes if not given."""


class SlowStartFault(_LoadFault, OnsetFault):
    """Sets how long processes of a model take to start."""

    kind: Literal["slow_start"]
    start_time_ns: Duration = Field(alias="start_time")
    """Time from the start of a process until it answers."""


class LoadFailureFault(_LoadFault, OnsetFault):
    """Makes loads of a model fail, as a lack of memory does."""

    kind: Literal["load_failure"]
    after_ns: Duration = Field(default=0, alias="after")
    """Time from the start of a load until it fails."""
    times: int | None = Field(default=None, ge=1, le=1_000_000)
    """Number of loads that fail; all if not given."""
