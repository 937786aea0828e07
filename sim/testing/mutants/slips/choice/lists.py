"""Slips in how a frontend picks from a list of its own, and in what rows hear of its requests."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial

from sim.routing.errors import CallError
from sim.routing.fleet import RowState
from sim.routing.policies.choose import Choose
from sim.routing.registry import RowChange
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.replica_list.listed import OwnInFlight, OwnSends, Rotating, Snapshot
from sim.routing.replica_list.own_counts import OwnCounts
from sim.routing.replica_list.replica_list import ReplicaList
from sim.testing.mutants.mutant import in_place_of

_LISTED = "sim.routing.replica_list.listed"
_LIST = "sim.routing.replica_list.replica_list:ReplicaList"
_COUNTS = "sim.routing.replica_list.own_counts:OwnCounts"


@in_place_of(f"{_LISTED}:Snapshot.drop", "lists_by_hand")
def removed_replica_stays_listed(self: Snapshot, key: ReplicaKey) -> None:
    """A replica that is removed stays on the list until the next reading."""


@in_place_of(f"{_LISTED}:OwnSends.counted", "lists_by_hand")
def own_requests_are_not_added(self: OwnSends, key: ReplicaKey, change: int) -> None:
    """What the frontend has sent since the reading is not added."""


@in_place_of(f"{_LISTED}:OwnSends.used", "lists_by_hand")
def own_uses_are_not_noted(self: OwnSends, key: ReplicaKey, wall_ns: int) -> None:
    """A listed replica that gets a request keeps the time of its last use."""


@in_place_of(f"{_LISTED}:OwnInFlight.counted", "lists_by_hand")
def ended_requests_stay_on_the_list(self: OwnInFlight, key: ReplicaKey, change: int) -> None:
    """What has ended since the reading is not taken off."""
    OwnSends.counted(self, key, change)


@in_place_of(f"{_LISTED}:Rotating.pick", "lists_by_hand")
def turns_are_forgotten(self: Rotating, choose: Choose) -> Replica | None:
    """No replica has had its turn: the policy's first choice gets every request until the next reading."""
    return choose(self._eligible(choose.nodes))


@in_place_of(f"{_LISTED}:Rotating.pick", "lists_by_hand")
def turn_goes_to_the_last_one(self: Rotating, choose: Choose) -> Replica | None:
    """Once all have had a turn, the one that had it last gets the next."""
    rows = self._eligible(choose.nodes)
    chosen = choose([row for row in rows if row.key not in self._waiting])
    if chosen is None:
        eligible = {row.key: row for row in rows}
        chosen = next((eligible[key] for key in reversed(self._waiting) if key in eligible), None)
    if chosen is not None:
        self._waiting[chosen.key] = None
    return chosen


@in_place_of(f"{_LIST}._keep_fresh", "lists_by_hand")
async def list_is_never_read_again(self: ReplicaList, model: str) -> None:
    """The first list of a model is kept for good."""


@in_place_of(f"{_LIST}.publish", "lists_by_hand")
async def published_request_counts_twice(
    self: ReplicaList,
    key: ReplicaKey,
    address: str,
    in_flight: int,
    state: RowState = RowState.LOADED,
    revision: str = "",
) -> None:
    """A row that the frontend publishes counts its request at once, and once more with the frontend's own."""
    await self._registry.publish(key, address, in_flight, state, revision)
    self._add(key, in_flight)
    self._lists.pop(key.model, None)


@in_place_of(f"{_LIST}.publish", "grown_list_by_hand")
async def published_replica_is_listed_late(
    self: ReplicaList,
    key: ReplicaKey,
    address: str,
    in_flight: int,
    state: RowState = RowState.LOADED,
    revision: str = "",
) -> None:
    """A replica that the frontend has loaded itself joins its list at the next reading only."""
    await self._registry.publish(key, address, 0, state, revision)
    self._add(key, in_flight)


@in_place_of(f"{_LIST}.give_back", "unread_lists_by_hand")
def left_request_stays_counted(self: ReplicaList, key: ReplicaKey, count: int) -> None:
    """The count of a request whose client leaves is not given back."""


@in_place_of(f"{_COUNTS}.use", "lists_by_hand")
def rows_hear_of_no_use(self: OwnCounts, key: ReplicaKey) -> None:
    """A row that is not written otherwise keeps the time of its last use."""


@in_place_of(f"{_COUNTS}.is_active", "lists_by_hand")
def list_goes_while_it_is_used(self: OwnCounts) -> bool:
    """The list of a model goes when it should be read again, although requests run."""
    return False


@in_place_of(f"{_COUNTS}.written", "lists_by_hand")
def new_row_knows_the_old_counts(self: OwnCounts, changes: Mapping[str, RowChange], rows: Sequence[Replica]) -> None:
    """A new row of a replica is taken to count what the old one counted."""
    for places in self._changed(changes):
        places.written += changes[places.row_id].added
    for row in rows:
        self._places[row.key].row_id = row.id


_written = OwnCounts.written


@in_place_of(f"{_COUNTS}.written", "meanwhile_by_hand")
def newcomers_count_as_written(self: OwnCounts, changes: Mapping[str, RowChange], rows: Sequence[Replica]) -> None:
    """Requests that arrive while a row is written count as written, though the row does not count them."""
    _written(self, changes, rows)
    for places in self._changed(changes):
        places.written = places.held


@in_place_of(f"{_COUNTS}.failed", "unread_lists_by_hand")
def doubtful_exchange_is_made_again(self: OwnCounts, changes: Mapping[str, RowChange], is_certain: bool) -> None:
    """Decrements that may have been made are made once more."""


@in_place_of(f"{_COUNTS}.failed", "unread_lists_by_hand")
def doubtful_exchange_counts_as_made(self: OwnCounts, changes: Mapping[str, RowChange], is_certain: bool) -> None:
    """Increments that may have been made are not made again."""
    for places in self._changed(changes):
        if not is_certain:
            places.written += changes[places.row_id].added


@in_place_of(f"{_COUNTS}.unwritten", "reading_by_hand")
def new_list_forgets_what_is_unwritten(self: OwnCounts) -> Mapping[ReplicaKey, int]:
    """A list that is read anew does not show the requests that its rows do not count yet."""
    return {}


async def _read_until_it_rests(replica_list: ReplicaList, model: str) -> None:
    await replica_list._runtime.sleep(replica_list._refresh_ns)
    while replica_list._own[model].is_active():
        with suppress(CallError):
            await replica_list._exchanges.do(model, partial(replica_list._exchange, model))
        await replica_list._runtime.sleep(replica_list._refresh_ns)


@in_place_of(f"{_LIST}._keep_fresh", "rested_by_hand")
async def list_stays_after_a_rest(self: ReplicaList, model: str) -> None:
    """The list of a model that rests is kept, and serves the next request however old it is."""
    await _read_until_it_rests(self, model)
    self._kept_fresh.remove(model)


@in_place_of(f"{_LIST}._keep_fresh", "rested_by_hand")
async def list_is_kept_fresh_once(self: ReplicaList, model: str) -> None:
    """A model that has had a rest gets a list again, which is never read anew."""
    await _read_until_it_rests(self, model)
    self._lists.pop(model, None)


@in_place_of(f"{_LISTED}:Snapshot._eligible", "two_rows_by_hand")
def list_shows_every_node(self: Snapshot, nodes: Collection[str]) -> list[Replica]:
    """Replicas on all nodes are listed, whatever labels the model asks for."""
    return list(self._rows.values())


@in_place_of(f"{_LISTED}:Snapshot.__init__", "two_rows_by_hand")
def second_row_counts(self: Snapshot, rows: Sequence[Replica]) -> None:
    """Of two rows of a replica, the list shows the one that does not count its requests."""
    self._rows = {row.key: row for row in rows}


@in_place_of(f"{_COUNTS}.written", "two_rows_by_hand")
def counts_move_to_a_second_row(self: OwnCounts, changes: Mapping[str, RowChange], rows: Sequence[Replica]) -> None:
    """The counts of a replica that gets a second row are written anew there, though the first row is left."""
    for places in self._changed(changes):
        places.written += changes[places.row_id].added
    for row in rows:
        places = self._places[row.key]
        if places.row_id != row.id:
            places.row_id, places.written = row.id, 0


@in_place_of(f"{_COUNTS}.failed", "two_rows_by_hand")
def refused_decrement_counts_as_made(self: OwnCounts, changes: Mapping[str, RowChange], is_certain: bool) -> None:
    """What a row should have heard when no registry answered is not told it again."""
    for places in self._changed(changes):
        places.is_used |= changes[places.row_id].is_used
        places.written += min(0, changes[places.row_id].added)


@in_place_of(f"{_COUNTS}.failed", "two_rows_by_hand")
def refused_use_is_forgotten(self: OwnCounts, changes: Mapping[str, RowChange], is_certain: bool) -> None:
    """A row never hears of a use that it should have heard of when no registry answered."""
    for places in self._changed(changes):
        if not is_certain:
            places.written += min(0, changes[places.row_id].added)
