"""The catalogue of registry faults: what makes each kind of spec into a fault."""

from collections.abc import Callable, Mapping
from typing import Any

from sim.scenario.spec.faults import registry as specs
from sim.simulated.faults.base import Fault, Luck
from sim.simulated.faults.registry.locks import AdvisoryLockLost, LockHeld
from sim.simulated.faults.registry.reads import StaleReads
from sim.simulated.faults.registry.rows import DuplicateRow, NullValue, RowDeleted
from sim.simulated.faults.registry.transactions import (
    ConnectionLost,
    Deadlock,
    PoolExhausted,
    RegistryOutage,
    StatementTimeout,
    TransactionAbort,
)

FAULTS: Mapping[type[Any], Callable[[Any, Luck], Fault]] = {
    specs.TransactionAbortFault: TransactionAbort,
    specs.DeadlockFault: Deadlock,
    specs.LockHeldFault: LockHeld,
    specs.ConnectionLostFault: ConnectionLost,
    specs.PoolExhaustedFault: PoolExhausted,
    specs.StaleReadsFault: StaleReads,
    specs.RowDeletedFault: RowDeleted,
    specs.DuplicateRowFault: DuplicateRow,
    specs.NullValueFault: NullValue,
    specs.RegistryOutageFault: RegistryOutage,
    specs.StatementTimeoutFault: StatementTimeout,
    specs.AdvisoryLockLostFault: AdvisoryLockLost,
}
