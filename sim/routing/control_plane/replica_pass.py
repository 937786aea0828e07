"""The reconciler's replica pass: keep each model at the number of replicas that it should have.

`scaling_of` decides over one reading of the registry, in LocalAI's order; `ReplicaPass` carries the decision out.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Literal, NamedTuple

from sim.routing.control_plane.turns import Turns
from sim.routing.errors import CallError
from sim.routing.fleet import NO_COOLDOWN, Cooldown, Fleet, ReplicaRow
from sim.routing.loading.free_process import FreeProcess
from sim.routing.loading.load_path import LoadPath
from sim.routing.loading.placement import TakenIndexes, capacity, indexes_of_rows, matching_nodes
from sim.routing.policies.prefix.pressure import Pressure
from sim.routing.ports import FrontendPorts
from sim.routing.settings import ModelConfig, ReconcilerSettings

PRESSURE_THRESHOLD = 1
"""How many requests must lately have been kept from their hot replica for a model to get one more."""


class Bounds(NamedTuple):
    """How many loaded replicas a model should have."""

    least: int
    most: int
    """0 for no bound."""


class Addition(NamedTuple):
    """Replicas to load."""

    replicas: int
    cause: Literal["below_minimum", "busy", "pressure"]


class Removal(NamedTuple):
    """Idle replicas to remove."""

    rows: Sequence[ReplicaRow]
    """In the order in which they are removed."""
    unused_since_ns: int
    """A row that was used later than this wall time stays."""


class Setback(NamedTuple):
    """Replicas are missing and there is no slot for one."""

    cooldown: Cooldown
    """What to write about the model into the registry."""


Scaling = Addition | Removal | Setback

LoadInfo = Callable[[Fleet, str], bool]
"""Returns whether it is known how to load the model."""


def known_with_rows(fleet: Fleet, model: str) -> bool:
    """Return whether the model was loaded and still has a row, in any state. So it was in LocalAI once."""
    return model in fleet.loadable and bool(fleet.rows_of(model))


def known_for_good(fleet: Fleet, model: str) -> bool:
    """Return whether the model was ever loaded. Repaired."""
    return model in fleet.loadable


def scaling_of(
    fleet: Fleet,
    model: ModelConfig,
    now_ns: int,
    disturbs: int,
    settings: ReconcilerSettings,
    taken: TakenIndexes = indexes_of_rows,
) -> Scaling | None:
    """Decide what the pass does for the model; None for nothing.

    A model that is spread over no node, or is in its cooldown, is left alone. A model below its minimum gets what is
    missing, as far as there are slots. A model below its maximum gets one more if all its replicas are busy, or if
    `disturbs`, the number of requests kept from their hot replica lately, reaches the threshold; without a slot nothing
    happens. Otherwise its idle replicas are removed, down to the minimum or 1. `now_ns` is wall time.
    """
    bounds = bounds_of(fleet, model)
    cooldown = fleet.cooldowns.get(model.name, NO_COOLDOWN)
    if bounds is None or (cooldown.until_ns and cooldown.until_ns > now_ns):
        return None
    loaded, slots = fleet.loaded(model.name), capacity(fleet, model, taken)
    missing = bounds.least - len(loaded)
    if missing > 0:
        return Addition(min(missing, slots), "below_minimum") if slots else _setback(cooldown, now_ns, settings)
    cause = _cause_for_one_more(loaded, bounds, disturbs)
    if cause is not None:
        return Addition(1, cause) if slots else None
    return _removal(loaded, max(bounds.least, 1), now_ns - settings.idle_after_ns)


def bounds_of(fleet: Fleet, model: ModelConfig) -> Bounds | None:
    """Return the model's bounds; a spread model has the number of its nodes as both, or None if it has no node."""
    if not model.spread:
        return Bounds(model.min_replicas or 0, model.max_replicas or 0)
    nodes = len(matching_nodes(fleet, model.selector))
    return Bounds(nodes, nodes) if nodes else None


def _setback(cooldown: Cooldown, now_ns: int, settings: ReconcilerSettings) -> Setback:
    """Count the pass. The count is kept through a cooldown, so that the next fruitless pass starts another one."""
    fruitless_passes = cooldown.fruitless_passes + 1
    if fruitless_passes < settings.fruitless_passes:
        return Setback(Cooldown(fruitless_passes, 0))
    return Setback(Cooldown(fruitless_passes, now_ns + settings.cooldown_ns))


def _cause_for_one_more(
    loaded: Sequence[ReplicaRow], bounds: Bounds, disturbs: int
) -> Literal["busy", "pressure"] | None:
    if not loaded or (bounds.most and len(loaded) >= bounds.most):
        return None
    if all(row.in_flight for row in loaded):
        return "busy"
    return "pressure" if disturbs >= PRESSURE_THRESHOLD else None


def _removal(loaded: Sequence[ReplicaRow], floor: int, unused_since_ns: int) -> Removal | None:
    """Remove the idle part of the excess: the highest index first, then the least recently used."""
    excess = max(0, len(loaded) - floor)
    idle = [row for row in loaded if not row.in_flight and row.last_used_ns < unused_since_ns]
    going = sorted(idle, key=lambda row: (-row.key.replica_index, row.last_used_ns, row.id))[:excess]
    return Removal(going, unused_since_ns) if going else None


class ReplicaPass:
    """Makes one frontend's passes."""

    __slots__ = (
        "_free_process",
        "_has_load_info",
        "_load_path",
        "_models",
        "_ports",
        "_pressure",
        "_settings",
        "_turns",
    )

    def __init__(
        self,
        ports: FrontendPorts,
        models: Mapping[str, ModelConfig],
        settings: ReconcilerSettings,
        load_path: LoadPath,
        free_process: FreeProcess,
        has_load_info: LoadInfo,
        pressure: Pressure,
        turns: Turns,
    ) -> None:
        """`models` go by name; those without bounds are left alone.

        `pressure` counts what this frontend's requests record; if they record nothing, it never adds a replica.
        """
        self._ports = ports
        self._models = [models[name] for name in sorted(models) if models[name].is_bounded]
        self._settings = settings
        self._load_path = load_path
        self._free_process = free_process
        self._has_load_info = has_load_info
        self._pressure = pressure
        self._turns = turns

    async def run_pass(self) -> None:
        """Scale the models, by name. A failed load ends a model's turn; a registry that fails, a turn or the pass."""
        with suppress(CallError):
            await self._turns.scale_all(self._models, self._scale)

    async def _scale(self, model: ModelConfig) -> None:
        fleet = await self._ports.registry.fleet()
        disturbs = self._pressure.count(model.name)
        now_ns, taken = self._ports.runtime.wall_ns(), self._load_path.taken_indexes
        match scaling_of(fleet, model, now_ns, disturbs, self._settings, taken):
            case Addition() as addition:
                await self._add(fleet, model.name, addition)
            case Removal() as removal:
                await self._remove(model.name, removal)
            case Setback(cooldown):
                await self._ports.registry.set_cooldown(model.name, cooldown)

    async def _add(self, fleet: Fleet, model: str, addition: Addition) -> None:
        if not self._has_load_info(fleet, model):
            return
        self._ports.journal.scaled(model, addition.replicas, addition.cause)
        if not await self._load(model, addition.replicas):
            return
        if addition.cause == "pressure":
            self._pressure.reset(model)
        if addition.cause == "below_minimum" and model in fleet.cooldowns:
            await self._ports.registry.set_cooldown(model, NO_COOLDOWN)

    async def _load(self, model: str, replicas: int) -> int:
        """Load up to that many, none after the first that fails, and return how many were."""
        added = 0
        with suppress(CallError):
            for _ in range(replicas):
                await self._load_path.load(model, in_flight=0, cause="scale_up")
                added += 1
        return added

    async def _remove(self, model: str, removal: Removal) -> None:
        self._ports.journal.scaled(model, -len(removal.rows), "idle")
        for row in removal.rows:
            if not await self._ports.registry.remove_idle_row(row.id, removal.unused_since_ns):
                continue
            self._ports.journal.row_removed(row.key, row.address, "idle", None)
            with suppress(CallError):
                await self._free_process(self._ports, row.key)
