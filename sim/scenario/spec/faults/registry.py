"""Faults of the shared table of replicas, and of the connections to it.

G1   transaction_abort
G2   deadlock
G3   lock_held
G4   connection_lost, when: before_commit or after_commit
G5   pool_exhausted
G6   stale_reads
G7   row_deleted
G8   duplicate_row
G9   null_value
G10  registry_outage
G11  statement_timeout
G12  advisory_lock_lost
"""

from typing import Literal

from pydantic import Field

from sim.routing.units import NS_PER_S
from sim.scenario.spec.base import Spec
from sim.scenario.spec.faults.base import RateFault, ReplicaTarget, SpellFault, TimedFault, WindowFault
from sim.scenario.text.units import Duration


class _OfFrontend(Spec):
    frontend: int | None = Field(default=None, ge=0)
    """Index of the frontend whose transactions are hit; all frontends if not given."""


class TransactionAbortFault(_OfFrontend, RateFault):
    """Aborts transactions at their commit, as a serialization failure does; they have no effect."""

    kind: Literal["transaction_abort"]


class DeadlockFault(_OfFrontend, RateFault):
    """Makes transactions wait for a lock, then fail as the victim of a deadlock."""

    kind: Literal["deadlock"]
    wait_ns: Duration = Field(default=NS_PER_S, alias="wait")
    """Time that the database takes to notice the deadlock."""


class LockHeldFault(SpellFault):
    """Makes another session hold the locks of a model's rows."""

    kind: Literal["lock_held"]
    model: str
    """Name of the model whose rows are locked."""


class ConnectionLostFault(_OfFrontend, RateFault):
    """Breaks the connection around a commit. The caller gets an error either way."""

    kind: Literal["connection_lost"]
    when: Literal["before_commit", "after_commit"]
    """Whether the connection breaks before the commit, or after it, where the transaction has taken effect."""


class PoolExhaustedFault(_OfFrontend, WindowFault):
    """Leaves a frontend only a few connections to the registry; further transactions wait for one."""

    kind: Literal["pool_exhausted"]
    connections: int = Field(ge=1, le=10_000)
    """Number of connections that are left."""


class StaleReadsFault(_OfFrontend, WindowFault):
    """Answers reads with the table as it was some time ago."""

    kind: Literal["stale_reads"]
    age_ns: Duration = Field(alias="age", gt=0)
    """Age of the state that reads show."""


class RowDeletedFault(ReplicaTarget, TimedFault):
    """Deletes a replica's row from outside, while picks may be waiting for it."""

    kind: Literal["row_deleted"]


class DuplicateRowFault(ReplicaTarget, TimedFault):
    """Adds a second row for a replica that has one."""

    kind: Literal["duplicate_row"]


class NullValueFault(ReplicaTarget, TimedFault):
    """Empties one column of a replica's row, or of its node's."""

    kind: Literal["null_value"]
    column: Literal["in_flight", "last_used", "available_vram"]
    """Column that becomes NULL."""


class RegistryOutageFault(_OfFrontend, SpellFault):
    """Makes the registry unreachable; every transaction fails meanwhile."""

    kind: Literal["registry_outage"]


class StatementTimeoutFault(_OfFrontend, WindowFault):
    """Fails each statement that takes longer than a limit, waiting for locks included."""

    kind: Literal["statement_timeout"]
    limit_ns: Duration = Field(alias="limit", gt=0)
    """Longest time that a statement may take."""


class AdvisoryLockLostFault(_OfFrontend, TimedFault):
    """Frees a model's advisory lock while its holder, whose connection broke, believes it still has it."""

    kind: Literal["advisory_lock_lost"]
    model: str
    """Name of the model whose lock is freed."""
