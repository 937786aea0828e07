"""Slips in how a replica comes to be: the place, the eviction, the load, and who waits for it."""

from collections.abc import Collection, Mapping, Sequence

from sim.routing.errors import CallError
from sim.routing.fleet import Fleet, Node, ReplicaRow, RowState
from sim.routing.loading.broadcast import Broadcast, Signal
from sim.routing.loading.cold_load import WarmPath, load_lock
from sim.routing.loading.inline_load import InlineLoad
from sim.routing.loading.installs import Installs
from sim.routing.loading.job_load import JobLoad
from sim.routing.loading.load_owner import LoadOwner
from sim.routing.loading.load_path import LoadPath
from sim.routing.loading.placement import TakenIndexes
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from sim.routing.request_path.route import Route
from sim.routing.settings import ModelConfig
from sim.routing.strategies import LOAD_LIMITS, LOAD_ROWS, PLACEMENT
from sim.routing.units import NS_PER_S
from sim.testing.mutants.mutant import Mutant, in_place_of

_PLACEMENT = "sim.routing.loading.placement"


@in_place_of(f"{_PLACEMENT}:_node_order", "clients_by_hand")
def first_node_by_name(fleet: Fleet, node: Node, free_vram_bytes: int) -> tuple[bool, int, int, str]:
    """A new replica goes to the first node by name, whatever the others do."""
    return (False, 0, 0, node.name)


@in_place_of(f"{_PLACEMENT}:_node_order", "places_by_hand")
def fullest_node_first(fleet: Fleet, node: Node, free_vram_bytes: int) -> tuple[bool, int, int, str]:
    """Among nodes that are equally busy, the one with the least free VRAM is chosen: a sign is missing."""
    rows = fleet.rows_on(node.name)
    is_idle = not any(row.is_loaded for row in rows)
    return (not is_idle, 0 if is_idle else sum(row.in_flight for row in rows), free_vram_bytes, node.name)


@in_place_of(f"{_PLACEMENT}:_node_order", "clients_by_hand")
def idle_node_is_not_preferred(fleet: Fleet, node: Node, free_vram_bytes: int) -> tuple[bool, int, int, str]:
    """A node that serves nothing is not put first."""
    return (False, sum(row.in_flight for row in fleet.rows_on(node.name)), -free_vram_bytes, node.name)


@in_place_of(f"{_PLACEMENT}:_free_slots", "cooldown_by_hand")
def slots_never_fill_up(fleet: Fleet, node: Node, model: str, taken: TakenIndexes) -> int:
    """All slots of a node count as free."""
    return node.slots


@in_place_of(f"{_PLACEMENT}:_unused_key", "loads_by_hand")
def index_is_always_zero(fleet: Fleet, node: Node, model: str, taken: TakenIndexes) -> ReplicaKey | None:
    """A new replica takes the place of the first one on its node."""
    return ReplicaKey(node.name, model, 0)


vram_is_promised_twice = Mutant(
    "vram_is_promised_twice",
    "sim.routing.fleet:Node.unreserved_vram_bytes",
    "What is reserved for loads under way counts as free.",
    property(lambda self: self.available_vram_bytes),
    ("places_by_hand",),
)


@in_place_of(f"{_PLACEMENT}:_has_conflict", "places_by_hand")
def conflicts_are_ignored(fleet: Fleet, node: Node, model: ModelConfig) -> bool:
    """Models that should be kept apart are not."""
    return False


@in_place_of(f"{_PLACEMENT}:require_disk_headroom", "places_by_hand")
def disk_is_ignored(nodes: Sequence[Node], model: ModelConfig, needed_bytes: int) -> Sequence[Node]:
    """A node is chosen without a look at its disk."""
    return nodes


@in_place_of(f"{_PLACEMENT}:matching_nodes", "places_by_hand")
def one_label_is_enough(fleet: Fleet, selector: Mapping[str, str]) -> list[Node]:
    """A new replica may go to a node that has any of the labels that are asked for."""
    return [node for node in fleet.healthy_nodes() if not selector or selector.items() & node.labels.items()]


@in_place_of("sim.routing.fleet:Fleet.healthy_nodes", "cooldown_by_hand")
def sick_nodes_count_as_healthy(self: Fleet) -> list[Node]:
    """New replicas are placed on nodes in any state."""
    return list(self.nodes)


_EVICTION = "sim.routing.loading.eviction"


def _evictable(fleet: Fleet, nodes: Collection[str]) -> list[ReplicaRow]:
    allowed = {node.name for node in fleet.healthy_nodes() if not nodes or node.name in nodes}
    return [row for row in fleet.rows if row.is_loaded and row.key.node in allowed]


@in_place_of(f"{_EVICTION}:least_recently_used", "evictions_by_hand")
def busy_row_is_evicted(
    fleet: Fleet, models: Mapping[str, ModelConfig], nodes: Collection[str] = ()
) -> ReplicaRow | None:
    """A replica with requests in flight may be evicted."""
    return min(_evictable(fleet, nodes), key=lambda row: (row.last_used_ns, row.id), default=None)


@in_place_of(f"{_EVICTION}:least_recently_used", "loads_by_hand")
def most_recently_used_is_evicted(
    fleet: Fleet, models: Mapping[str, ModelConfig], nodes: Collection[str] = ()
) -> ReplicaRow | None:
    """The replica that was used last is evicted: `max` for `min`."""
    idle = [row for row in _evictable(fleet, nodes) if not row.in_flight]
    return max(idle, key=lambda row: (row.last_used_ns, row.id), default=None)


@in_place_of(f"{_EVICTION}:_can_lose_one", "evictions_by_hand")
def floor_is_ignored(model: ModelConfig | None, loaded_rows: int) -> bool:
    """A model may be evicted below its minimum."""
    return True


@in_place_of(f"{_EVICTION}:_can_lose_one", "evictions_by_hand")
def floor_is_one_too_low(model: ModelConfig | None, loaded_rows: int) -> bool:
    """A model may be evicted to one below its minimum: `>=` for `>`."""
    floor = None if model is None else model.eviction_floor
    return floor is None or loaded_rows >= floor


evicts_anywhere = Mutant(
    "evicts_anywhere",
    "sim.routing.frontend:PLACEMENT",
    "A row is evicted on a node that the model may not use.",
    {**PLACEMENT, "strict": PLACEMENT["lenient"]},
    ("loads_by_hand",),
)


@in_place_of("sim.routing.loading.inline_load:InlineLoad.route", "silence_by_hand")
async def loaded_meanwhile_is_loaded_again(self: InlineLoad, request: Request, warm_path: WarmPath) -> Route:
    """A request that has waited for the model's lock loads the model without looking again whether it is loaded."""
    async with self._registry.lock(load_lock(request.model)):
        return await self._load_path.load_for(request)


@in_place_of("sim.routing.loading.inline_load:InlineLoad.route", "silence_by_hand")
async def load_takes_no_lock(self: InlineLoad, request: Request, warm_path: WarmPath) -> Route:
    """Two requests load the same model at the same time."""
    return await warm_path(request) or await self._load_path.load_for(request)


@in_place_of("sim.routing.loading.installs:Installs.install", "evictions_by_hand")
async def install_is_not_shared(self: Installs, key: ReplicaKey) -> str:
    """Everyone who needs a process asks the worker for one."""
    return await self._worker.install(key)


@in_place_of("sim.routing.loading.broadcast:Broadcast.close", "silence_by_hand")
def nobody_is_woken(self: Broadcast, model: str) -> None:
    """Those who wait for a load on its owner's frontend are not told that it has ended."""


@in_place_of("sim.routing.loading.job_load:JobLoad._wait", "loads_by_hand")
async def wait_has_no_end(self: JobLoad, model: str, ended: Signal, until_ns: int) -> None:
    """A request waits for a load as long as it takes."""
    while not await ended.within(2 * NS_PER_S):
        if await self._has_gone(model):
            return


@in_place_of("sim.routing.loading.job_load:JobLoad._has_gone", "loads_by_hand")
async def row_is_not_read_again(self: JobLoad, model: str) -> bool:
    """A request on another frontend than the owner's does not see that the load has ended."""
    return False


heartbeat_makes_an_orphan = Mutant(
    "heartbeat_makes_an_orphan",
    "sim.routing.loading.job_load:ORPHAN_NS",
    "A load counts as given up as soon as its last heartbeat is not brand new.",
    1,
    ("silence_by_hand",),
)

orphan_is_never_found = Mutant(
    "orphan_is_never_found",
    "sim.routing.loading.job_load:ORPHAN_NS",
    "A load whose owner has gone keeps everybody waiting for an hour: minutes for seconds.",
    3600 * NS_PER_S,
    ("loads_by_hand",),
)

failed_load_is_forgotten = Mutant(
    "failed_load_is_forgotten",
    "sim.routing.loading.load_owner:FAILED_GRACE_NS",
    "A failed load leaves no trace, so the next request begins it anew at once.",
    0,
    ("loads_by_hand",),
)


@in_place_of("sim.routing.loading.load_owner:LoadOwner._delete_row", "registry_by_hand")
async def job_is_never_deleted(self: LoadOwner) -> None:
    """The row of a load stays when the load is over."""


@in_place_of("sim.routing.loading.load_path:LoadPath._remove_row", "loads_by_hand")
async def failed_load_keeps_its_row(self: LoadPath, key: ReplicaKey) -> None:
    """The row of a load that failed stays as loading, and holds its slot for good."""


@in_place_of("sim.routing.loading.load_path:LoadPath._publish", "silence_by_hand")
async def row_comes_before_the_model(
    self: LoadPath, key: ReplicaKey, address: str, state: RowState, revision: str
) -> None:
    """The row of a replica says that it is loaded before the model is."""
    if state is RowState.LOADING:
        await self._ports.registry.publish(key, address, 0, RowState.LOADED, revision)


no_row_while_loading = Mutant(
    "no_row_while_loading",
    "sim.routing.frontend:LOAD_ROWS",
    "A load holds no slot until it is over.",
    {**LOAD_ROWS, "lifecycle": LOAD_ROWS["on_success"]},
    ("silence_by_hand",),
)

large_model_gets_no_more_time = Mutant(
    "large_model_gets_no_more_time",
    "sim.routing.frontend:LOAD_LIMITS",
    "A load may take 5 minutes whatever the model's size.",
    {**LOAD_LIMITS, "by_size": LOAD_LIMITS["fixed"]},
    ("fixed_load_deadline",),
)


@in_place_of("sim.routing.loading.load_path:LoadPath._load_model", "fixed_load_deadline")
async def load_has_no_limit(self: LoadPath, key: ReplicaKey, config: ModelConfig, backend: object) -> None:
    """A load may take as long as it will."""
    try:
        await backend.load_model(key.model)  # type: ignore[attr-defined] # any backend has it
    except CallError as error:
        self._ports.journal.load_ended(key, type(error).__name__)
        raise
    self._ports.journal.load_ended(key, "")


@in_place_of("sim.routing.loading.installs:Installs.install", "installs_by_hand")
async def replicas_share_an_install(self: Installs, key: ReplicaKey) -> str:
    """Two replicas of a model that are installed on one node at a time get the same process."""
    outcome = await self._flights.do(f"{key.node}|{key.model}", lambda: self._attempt(key))
    if isinstance(outcome, CallError):
        raise type(outcome)(str(outcome))
    return outcome
