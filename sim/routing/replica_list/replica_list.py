"""The calls that a request makes to the registry, answered from a frontend's own lists, without a transaction each.

Every few seconds one transaction per model writes what has changed in the frontend's counts and reads the rows anew.
So the registry's counts are as old as that, for everyone who reads them: other frontends, evictions, scale-downs.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from sim.routing.errors import CallError, NotCommitted
from sim.routing.fleet import RowState
from sim.routing.policies.choose import Choose
from sim.routing.ports import FrontendPorts
from sim.routing.proxy import with_calls
from sim.routing.registry import Registry
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.replica_list.listed import Snapshot
from sim.routing.replica_list.own_counts import OwnCounts
from sim.routing.request_path.singleflight import DetachedFlight

NewList = Callable[[Sequence[Replica]], Snapshot]
"""Makes a list of the rows that were read."""


def with_replica_list(ports: FrontendPorts, own: "ReplicaList") -> FrontendPorts:
    """Return the ports with a registry whose calls for requests are answered from the lists."""
    registry = with_calls(
        ports.registry,
        Registry,
        pick=own.pick,
        increment=own.increment,
        give_back=own.give_back,
        decrement=own.decrement,
        touch=own.touch,
        publish=own.publish,
        remove=own.remove,
    )
    return replace(ports, registry=registry)


class ReplicaList:
    """A list of replicas for each model that has requests, and what this frontend adds to their counts.

    The first request of a model waits for its first list, and no later one waits, unless the policy finds nothing in
    the list: then it is read anew. A replica that is removed leaves the list at once. One that others have added joins
    it when it is read next. The list goes when a model has had no request for a while.
    """

    def __init__(self, ports: FrontendPorts, refresh_ns: int, new_list: NewList) -> None:
        # An exchange that is cut off would leave open what the rows have heard.
        self._runtime = ports.lasting or ports.runtime
        self._registry = ports.registry
        self._journal = ports.journal
        self._refresh_ns = refresh_ns
        self._new_list = new_list
        self._exchanges = DetachedFlight(self._runtime)
        self._lists: dict[str, Snapshot] = {}
        """By model, like the counts."""
        self._own: defaultdict[str, OwnCounts] = defaultdict(OwnCounts)
        self._kept_fresh: set[str] = set()

    async def pick(self, model: str, choose: Choose) -> Replica | None:
        """Choose one of the listed rows and count the request on it. Raises a CallError if there is no list to read."""
        listed = self._lists.get(model)
        chosen = None if listed is None else listed.pick(choose)
        if chosen is None:
            listed = await self._exchanges.do(model, partial(self._exchange, model))
            chosen = listed.pick(choose)
        if chosen is None:
            return None
        as_read = replace(chosen)
        self._use(chosen.key)
        self._add(chosen.key, 1)
        if model not in self._kept_fresh:
            self._kept_fresh.add(model)
            self._runtime.spawn(self._keep_fresh(model), f"replica list of {model}")
        return as_read

    async def increment(self, key: ReplicaKey) -> bool:
        """Add 1 to this frontend's count, whether there is a row or not."""
        self._use(key)
        self._add(key, 1)
        return True

    def give_back(self, key: ReplicaKey, count: int) -> None:
        """Take `count` from this frontend's count."""
        self._add(key, -count)

    async def decrement(self, key: ReplicaKey, count: int) -> None:
        """Take `count` from this frontend's count."""
        self._add(key, -count)

    async def touch(self, key: ReplicaKey) -> None:
        """Note the use; the row hears of it at the next exchange."""
        self._use(key)

    async def publish(
        self, key: ReplicaKey, address: str, in_flight: int, state: RowState = RowState.LOADED, revision: str = ""
    ) -> None:
        """Write the row, and count what is in flight there as this frontend's own. The next pick reads a new list."""
        await self._registry.publish(key, address, 0, state, revision)
        self._add(key, in_flight)
        if state is RowState.LOADED:
            self._lists.pop(key.model, None)

    async def remove(self, key: ReplicaKey) -> bool:
        """Take the replica off the list at once, and delete its row."""
        listed = self._lists.get(key.model)
        if listed is not None:
            listed.drop(key)
        return await self._registry.remove(key)

    async def write_all(self) -> None:
        """Write what has changed in the counts since the last exchanges; what cannot be written is left."""
        # A copy, because a request or a load may bring up another model meanwhile.
        for model, own in list(self._own.items()):
            with suppress(CallError):
                # Twice, because the first may be an exchange that is under way and took its changes before these.
                for _ in range(2):
                    if own.has_changes():
                        await self._exchanges.do(model, partial(self._exchange, model))

    def _use(self, key: ReplicaKey) -> None:
        self._own[key.model].use(key)
        listed = self._lists.get(key.model)
        if listed is not None:
            listed.used(key, self._runtime.wall_ns())

    def _add(self, key: ReplicaKey, count: int) -> None:
        self._own[key.model].add(key, count)
        self._journal.counted_apart(key, count)
        listed = self._lists.get(key.model)
        if listed is not None:
            listed.counted(key, count)

    async def _keep_fresh(self, model: str) -> None:
        own = self._own[model]
        await self._runtime.sleep(self._refresh_ns)
        while own.is_active():
            # A list that cannot be read anew is better than none.
            with suppress(CallError):
                await self._exchanges.do(model, partial(self._exchange, model))
            await self._runtime.sleep(self._refresh_ns)
        self._kept_fresh.remove(model)
        self._lists.pop(model, None)

    async def _exchange(self, model: str) -> Snapshot:
        own = self._own[model]
        changes = own.take_changes()
        try:
            rows = await self._registry.exchange(model, changes)
        except CallError as error:
            own.failed(changes, is_certain=isinstance(error, NotCommitted))
            raise
        own.written(changes, rows)
        listed = self._lists[model] = self._new_list(rows)
        # Requests may have come and gone while the rows were read.
        for key, count in own.unwritten().items():
            listed.counted(key, count)
        return listed
