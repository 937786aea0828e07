"""The state that the frontends' registries share: tables, locks, and the length of a transaction."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from sim.routing.fleet import Cooldown, Fleet, LoadJob, NodeFacts, ReplicaRow, RowState, require_current
from sim.routing.replica import ReplicaKey
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.registry.replica_table import ReplicaTable
from sim.simulated.registry.rows import registered


@dataclass(slots=True)
class SimulatedDatabase:
    """The tables of one run, whoever asks."""

    runtime: SimulatedRuntime
    table: ReplicaTable
    transaction_ns: int
    """Time that one transaction takes."""
    loadable: dict[str, None] = field(default_factory=dict)
    """Models whose load options are stored, in the order of their first load."""
    cooldowns: dict[str, Cooldown] = field(default_factory=dict)
    passes_ns: dict[str, int] = field(default_factory=dict)
    """Wall time at which each kind of pass was last claimed."""
    jobs: dict[str, LoadJob] = field(default_factory=dict)
    """By model."""
    _locks: dict[str, FifoQueue] = field(default_factory=dict)

    _job_numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def job(self, job_id: str) -> LoadJob | None:
        """Return the load with this id, if it still exists."""
        return next((job for job in self.jobs.values() if job.id == job_id), None)

    def next_job_id(self) -> str:
        """Return an id for a new load."""
        return f"load-{next(self._job_numbers):06d}"

    def lock(self, name: str) -> FifoQueue:
        """Return the advisory lock of that name."""
        return self._locks.setdefault(name, FifoQueue(self.runtime, 1))

    def locks(self) -> Iterator[FifoQueue]:
        """Yield every lock: of rows, of nodes, and by name."""
        yield from (row.lock for row in self.table.rows.values())
        yield from (node.lock for node in self.table.nodes.values())
        yield from self._locks.values()

    def publish(
        self, key: ReplicaKey, address: str, in_flight: int, wall_ns: int, state: RowState, revision: str = ""
    ) -> None:
        """Write the row, in place of any row of the same key, and store that the model can be loaded.

        Raises StaleRevision if the model is at another revision.
        """
        require_current(key, revision, self.table.revisions.get(key.model, ""))
        self.loadable[key.model] = None
        self.table.insert(key, address, in_flight, FifoQueue(self.runtime, 1), wall_ns, state, revision)

    def advance_revision(self, model: str, revision: str) -> list[ReplicaRow]:
        """Set the model's current revision, delete its load options, and return the overtaken rows."""
        if self.table.revisions.get(model) == revision:
            return []
        self.loadable.pop(model, None)
        return self.table.advance_revision(model, revision)

    def register(self, facts: NodeFacts, wall_ns: int) -> list[ReplicaRow]:
        """Write the node as new, clear every cooldown, and return the rows that it loses."""
        removed = self.table.delete_all(self.table.rows_on(facts.name))
        self.table.nodes[facts.name] = registered(facts, self.table.nodes[facts.name].lock, wall_ns)
        self.cooldowns.clear()
        return removed

    def read(self) -> Fleet:
        """Return the present state."""
        return Fleet(
            nodes=tuple(node.as_read() for node in self.table.nodes.values()),
            rows=tuple(row.as_read() for row in self.table.rows.values()),
            loadable=dict(sorted(self.loadable.items())),
            cooldowns=dict(sorted(self.cooldowns.items())),
            revisions=dict(sorted(self.table.revisions.items())),
        )
