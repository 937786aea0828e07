"""Slips in which replica is picked: the tiers of the policy, the rows that count, and how picks see each other."""

from collections.abc import Collection, Iterable, Sequence

from sim.routing.policies.best_replica import AnyLoad, Load
from sim.routing.policies.choose import Choose
from sim.routing.ports import Clock
from sim.routing.replica import Replica
from sim.routing.request_path.router import Router
from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.registry.pick_modes import LockedPick, ReadCommittedPick
from sim.simulated.registry.replica_table import ReplicaTable
from sim.simulated.registry.rows import Row
from sim.testing.mutants.mutant import Mutant, in_place_of

_BEST = "sim.routing.policies.best_replica:ChooseBest.__call__"


@in_place_of(_BEST, "picks_by_hand")
def in_flight_is_ignored(replicas: Iterable[AnyLoad]) -> AnyLoad | None:
    """The least recently used replica is picked, however busy it is."""
    return min(replicas, key=lambda one: (one.last_used_ns, -one.available_vram_bytes), default=None)


@in_place_of(_BEST, "picks_by_hand")
def last_use_is_ignored(replicas: Iterable[AnyLoad]) -> AnyLoad | None:
    """Among replicas that are equally busy, VRAM decides at once."""
    return min(replicas, key=lambda one: (one.in_flight, -one.available_vram_bytes), default=None)


@in_place_of(_BEST, "picks_by_hand")
def most_recently_used_first(replicas: Iterable[AnyLoad]) -> AnyLoad | None:
    """Among replicas that are equally busy, the one used last is picked: a sign is wrong."""
    return min(replicas, key=lambda one: (one.in_flight, -one.last_used_ns, -one.available_vram_bytes), default=None)


@in_place_of(_BEST, "picks_by_hand")
def vram_before_last_use(replicas: Iterable[AnyLoad]) -> AnyLoad | None:
    """The second and the third tier have changed places."""
    return min(replicas, key=lambda one: (one.in_flight, -one.available_vram_bytes, one.last_used_ns), default=None)


@in_place_of(_BEST, "picks_by_hand")
def least_vram_first(replicas: Iterable[AnyLoad]) -> AnyLoad | None:
    """The third tier takes the node with the least free VRAM: a sign is missing."""
    return min(replicas, key=lambda one: (one.in_flight, one.last_used_ns, one.available_vram_bytes), default=None)


@in_place_of(_BEST, "picks_by_hand")
def vram_is_ignored(replicas: Iterable[AnyLoad]) -> AnyLoad | None:
    """The third tier is left out."""
    return min(replicas, key=lambda one: (one.in_flight, one.last_used_ns), default=None)


@in_place_of(_BEST, "picks_by_hand")
def first_of_equals(replicas: Iterable[AnyLoad]) -> AnyLoad | None:
    """Whichever of the least busy replicas comes first in the table is picked."""
    return min(replicas, key=_in_flight, default=None)


@in_place_of(_BEST, "picks_by_hand")
def last_of_a_full_tie(replicas: Iterable[AnyLoad]) -> AnyLoad | None:
    """A full tie goes to the last row of the table: `<=` for `<`."""
    rows = list(replicas)[::-1]
    return min(rows, key=lambda one: (one.in_flight, one.last_used_ns, -one.available_vram_bytes), default=None)


@in_place_of(_BEST, "picks_by_hand")
def busiest_first(replicas: Iterable[AnyLoad]) -> AnyLoad | None:
    """The replica with the most requests in flight is picked: `max` for `min`."""
    return max(replicas, key=_in_flight, default=None)


def _in_flight(replica: Load) -> int:
    return replica.in_flight


_TAKE = "sim.simulated.registry.rows:Row.take"


@in_place_of(_TAKE, "picks_by_hand")
def pick_does_not_touch(self: Row, wall_ns: int) -> Replica:
    """A pick leaves the time of the row's last use as it was."""
    picked = self.as_picked()
    self.in_flight += 1
    return picked


@in_place_of(_TAKE, "picks_by_hand")
def pick_is_not_counted(self: Row, wall_ns: int) -> Replica:
    """A pick does not add its request to the row's count."""
    picked = self.as_picked()
    self.last_used_ns = self.updated_ns = wall_ns
    return picked


_TABLE = "sim.simulated.registry.replica_table:ReplicaTable"


@in_place_of(f"{_TABLE}._may_be_picked", "silence_by_hand")
def loading_rows_are_picked(self: ReplicaTable, row: Row) -> bool:
    """Rows of replicas that are still loading are picked as well."""
    is_current = self.revisions.get(row.key.model, row.revision) == row.revision
    return self.nodes[row.key.node].status in self._rule.may_serve and is_current


@in_place_of(f"{_TABLE}.eligible", "selector_blind_pick")
def selector_is_ignored(self: ReplicaTable, model: str, nodes: Collection[str] = ()) -> Sequence[Row]:
    """Rows on every node are eligible, whatever labels the model asks for."""
    return self.pickable.get(model, ())


@in_place_of("sim.routing.request_path.router:Router._candidates", "registry_by_hand")
async def selector_is_not_asked(self: Router, model: str) -> Collection[str]:
    """The labels that the model asks for are not looked up."""
    return ()


_READ_COMMITTED = "sim.simulated.registry.pick_modes:ReadCommittedPick"


@in_place_of(f"{_READ_COMMITTED}.pick", "registry_by_hand")
async def waiter_chooses_again(self: ReadCommittedPick, model: str, choose: Choose, clock: Clock) -> Replica | None:
    """A pick chooses when its transaction ends, so that it sees all the others: read committed does not herd."""
    await self._hold()
    row = choose(self._table.eligible(model, choose.nodes))
    return None if row is None else row.take(clock.wall_ns())


@in_place_of(f"{_READ_COMMITTED}._take", "registry_by_hand")
async def deleted_row_is_taken(self: ReadCommittedPick, row: Row, clock: Clock) -> Replica | None:
    """A pick that has waited for its row does not look whether the row still stands."""
    await row.lock.acquire()
    try:
        await self._hold()
        return row.take(clock.wall_ns())
    finally:
        row.lock.release()


@in_place_of("sim.simulated.registry.pick_modes:LockedPick.pick", "picks_by_hand")
async def pick_forgets_the_lock(self: LockedPick, model: str, choose: Choose, clock: Clock) -> Replica | None:
    """Picks of one model do not wait for each other."""
    return await self._pick_mode.pick(model, choose, clock)


@in_place_of("sim.simulated.registry.pick_modes:LockedPick._lock", "registry_by_hand")
def one_pick_lock_for_all_models(self: LockedPick, model: str) -> FifoQueue:
    """Picks of different models wait for each other."""
    return self._database.lock("pick")


nulls_first = Mutant(
    "nulls_first",
    "sim.simulated.registry.null:NULL",
    "A row whose last use is NULL is taken for the one that was unused for longest.",
    -1,
    ("picks_by_hand",),
)
