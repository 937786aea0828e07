"""The registry port: replica rows, node rows, locks by name and loads under way, behind transactions that take time."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from sim.routing.fleet import (
    Cooldown,
    Fleet,
    LoadJob,
    LoadState,
    NodeFacts,
    NodeReport,
    NodeStatus,
    ReplicaRow,
    RowState,
)
from sim.routing.policies.choose import Choose
from sim.routing.replica import Replica, ReplicaKey

LockWaited = Callable[[int], None]
"""Told how long a transaction has waited for a lock, in ns."""


class RowChange(NamedTuple):
    """What a row hears of the requests that one frontend counts by itself."""

    added: int
    """To the in-flight count; negative to take from it."""
    is_used: bool
    """Whether the row is to be touched."""


class Registry(Protocol):
    """What frontends, loops and nodes share. A call raises Unavailable if the database does not answer.

    Requests go by the key of a replica; the loops go by the id of a row, which never comes back.
    """

    # What a request needs.

    async def pick(self, model: str, choose: Choose) -> Replica | None:
        """Choose one of the model's rows, add 1 to its in-flight count and touch it, in one transaction.

        `choose` is shown the loaded rows on healthy nodes, those of `choose.nodes` only if it names any, by row id and
        as one statement sees them. If the chosen row has gone by the time it is locked, `choose` is asked again over
        the rest. Returns the row as it was read, before the increment; None if no row is left or none was chosen.
        """

    async def increment(self, key: ReplicaKey) -> bool:
        """Add 1 to the in-flight count and touch the row; False if there is no such row."""

    def give_back(self, key: ReplicaKey, count: int) -> None:
        """Take 1 from the in-flight count, `count` times, each time unless it is 0 or the row has gone.

        The caller does not wait and may leave: the transactions follow one another on their own.
        """

    async def decrement(self, key: ReplicaKey, count: int) -> None:
        """Give back as `give_back` does, but wait for it. If the caller leaves, the transactions go on.

        Raises NotCommitted if the first transaction, and so none of them, is known to have failed.
        """

    async def touch(self, key: ReplicaKey) -> None:
        """Set the row's last use to now."""

    async def exchange(self, model: str, changes: Mapping[str, RowChange]) -> Sequence[Replica]:
        """Make the changes to the rows of these ids, and read the model's rows that may be picked, in one transaction.

        No count falls below 0, and rows that have gone are passed over. Returns the loaded rows on healthy nodes, by
        id, as they are afterwards.
        """

    async def publish(
        self, key: ReplicaKey, address: str, in_flight: int, state: RowState = RowState.LOADED, revision: str = ""
    ) -> None:
        """Write the row in this state, with this count, in place of any row of the same key.

        Raises StaleRevision, and writes nothing, unless the revision is the model's current one; empty stands for none.
        """

    async def remove(self, key: ReplicaKey) -> bool:
        """Delete the row; False if it had gone already."""

    def lock(self, name: str) -> AbstractAsyncContextManager[None]:
        """Hold the advisory lock of that name; waiters get it first come, first served."""

    def try_lock(self, name: str) -> AbstractAsyncContextManager[bool]:
        """Take the advisory lock of that name if it is free, for the time of the `async with`; tell whether it was."""

    # What placement, the loops and the nodes need.

    async def fleet(self) -> Fleet:
        """Read everything, in one transaction."""

    async def register_node(self, facts: NodeFacts) -> Sequence[ReplicaRow]:
        """Write the node as healthy, its heartbeat as now and all its VRAM as free, and clear every cooldown.

        Its rows are deleted, whatever their processes do, and returned.
        """

    async def heartbeat(self, node: str, report: NodeReport) -> None:
        """Set the node's heartbeat to now; a report of VRAM takes the place of what was reserved there.

        The status of the node stays as it is.
        """

    async def set_status(self, node: str, status: NodeStatus) -> Sequence[ReplicaRow]:
        """Set the node's status, and delete and return its rows if the status has that effect."""

    async def remove_row(self, row_id: str) -> bool:
        """Delete this very row; False if it had gone already, even if another one has its key."""

    async def remove_idle_row(self, row_id: str, unused_since_ns: int) -> bool:
        """Delete the row unless it has requests in flight or was used later than that wall time.

        A NULL says neither, so the row stays.
        """

    async def confirm_row(self, row_id: str) -> None:
        """Set the row's update time to now."""

    async def clear_in_flight(self, row_id: str) -> None:
        """Set the row's count to 0."""

    async def evict(self, choose: Callable[[Fleet], ReplicaRow | None]) -> ReplicaRow | None:
        """Choose a row and delete it, in one transaction that excludes others like it; None if none was chosen."""

    async def reserve_vram(self, node: str, size_bytes: int) -> bool:
        """Add to what is reserved on the node; False, and nothing added, if that exceeds what is available.

        Nothing can be reserved where what is available is NULL.
        """

    async def release_vram(self, node: str, size_bytes: int) -> None:
        """Take from what is reserved on the node, down to 0."""

    async def set_cooldown(self, model: str, cooldown: Cooldown) -> None:
        """Write the model's cooldown; NO_COOLDOWN clears it."""

    async def advance_revision(self, model: str, revision: str) -> Sequence[ReplicaRow]:
        """Make it the model's current revision and turn the rows of other revisions into unloading, in one transaction.

        Returns the rows that were turned, as they are then: those that serve or are about to. How to load the model is
        forgotten, since what is stored was for them. Nothing happens if the revision is current already. No loop calls
        this: it is for the operator of a service.
        """

    async def claim_pass(self, name: str, interval_ns: int) -> bool:
        """Return True to the first caller in each interval; the interval counts from the last such answer."""

    # Loads that outlive the request that began them. A model has one row at most.

    async def load_job(self, model: str) -> LoadJob | None:
        """Read the model's row."""

    async def start_load(self, model: str) -> LoadJob | None:
        """Write a pending row with a heartbeat of now; None if there is one already."""

    async def beat_load(self, job_id: str, state: LoadState, cause: str = "") -> bool:
        """Set the row's heartbeat to now, and its state; False if it has gone."""

    async def end_load(self, job_id: str) -> None:
        """Delete the row, if it is there still."""
