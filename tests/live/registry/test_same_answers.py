"""Whatever is asked of them, one call after another, the simulated registry and the real one give the same answers."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.live.registry.connection import connect
from sim.routing.errors import CallError
from sim.routing.fleet import NO_COOLDOWN, Cooldown, Fleet, NodeReport, NodeStatus, ReplicaRow, RowState
from sim.routing.policies.choose import AnyReplica
from sim.routing.registry import RowChange
from sim.routing.replica import Replica, ReplicaKey
from sim.testing.mutants.catalogue import MUTANTS
from sim.testing.mutants.mutant import applied
from tests.live.registry.registry_arms import GB, NODES, SPARE, Arm, SettableRuntime, SqlArm, tell_simulated

NO_ROW = "no such row"
Answers = list[tuple[str, Any]]


@dataclass(frozen=True)
class ByKey:
    """Takes the least loaded replica; ties go by key, because ids are random in SQL."""

    nodes: Collection[str] = ()
    order: str | None = None

    def __call__(self, replicas: Sequence[AnyReplica]) -> AnyReplica | None:
        return min(replicas, key=lambda replica: (replica.in_flight, replica.last_used_ns, replica.key), default=None)


@dataclass(frozen=True)
class RowOf:
    """Chooses the row of one replica for an eviction."""

    key: ReplicaKey

    def __call__(self, fleet: Fleet) -> ReplicaRow | None:
        return next((row for row in fleet.rows if row.key == self.key), None)


@dataclass(frozen=True)
class Call:
    """One call, at a time by the caller's clock. A key in place of a row's id stands for the row it then has."""

    at_ns: int
    method: str
    arguments: tuple[Any, ...]


def calls(method: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Call]:
    # Clocks are set wrong, so later calls may come at earlier times.
    return st.builds(Call, st.integers(0, 9), st.just(method), st.tuples(*arguments))


NODE_NAMES = st.sampled_from([facts.name for facts in NODES[:2]])
MODELS = st.sampled_from(["m", "other"])
REVISIONS = st.sampled_from(["", "new"])
A, B, OTHER = ReplicaKey("n0", "m", 0), ReplicaKey("n1", "m", 0), ReplicaKey("n0", "other", 0)
KEYS = st.sampled_from([A, B, OTHER])
COUNTS = st.integers(0, 2)
SIZES = st.sampled_from([0, 9 * GB, 20 * GB])
REPORTS = st.builds(NodeReport, available_vram_bytes=st.none() | SIZES, available_disk_bytes=st.none() | SIZES)
COOLDOWNS = st.just(NO_COOLDOWN) | st.builds(Cooldown, COUNTS, COUNTS)
CHANGES = st.dictionaries(KEYS, st.builds(RowChange, st.integers(-2, 2), st.booleans()), max_size=3)

PUBLICATIONS = calls("publish", KEYS, st.just("address"), COUNTS, st.sampled_from(RowState), REVISIONS)
CALLS = st.one_of(
    PUBLICATIONS,
    calls("publish", KEYS, st.just("address"), COUNTS),
    calls("pick", MODELS, st.builds(ByKey, st.lists(NODE_NAMES, max_size=1))),
    calls("increment", KEYS),
    calls("decrement", KEYS, COUNTS),
    calls("touch", KEYS),
    calls("exchange", MODELS, CHANGES),
    calls("remove", KEYS),
    calls("remove_row", KEYS),
    calls("remove_idle_row", KEYS, st.integers(0, 9)),
    calls("confirm_row", KEYS),
    calls("clear_in_flight", KEYS),
    calls("evict", st.builds(RowOf, KEYS)),
    calls("reserve_vram", NODE_NAMES, SIZES),
    calls("release_vram", NODE_NAMES, SIZES),
    calls("heartbeat", NODE_NAMES, REPORTS),
    calls("set_status", NODE_NAMES, st.sampled_from(NodeStatus)),
    calls("register_node", st.sampled_from(NODES[:2])),
    calls("set_cooldown", MODELS, COOLDOWNS),
    calls("advance_revision", MODELS, REVISIONS),
    calls("claim_pass", MODELS, st.integers(0, 9)),
)

BY_ROW_ID = {"remove_row", "remove_idle_row", "confirm_row", "clear_in_flight"}


async def answers(arm: Arm, sequence: Sequence[Call]) -> Answers:
    """Make the calls in order, and return what each answered and what the fleet looks like at the end."""
    told: Answers = []
    floor_hits = arm.floor_hits
    for call in sequence:
        arguments = await _with_row_ids(arm, call)
        arm.show(call.at_ns)
        try:
            answer = await getattr(arm.registry, call.method)(*arguments)
        except CallError as error:
            answer = type(error)
        told.append((call.method, _without_ids(answer)))
    fleet = await arm.registry.fleet()
    listed = {name: list(getattr(fleet, name).items()) for name in ("loadable", "cooldowns", "revisions")}
    seen = {"nodes": list(fleet.nodes), "rows": _without_ids(fleet.rows), "floor hits": arm.floor_hits - floor_hits}
    return [*told, *seen.items(), *listed.items()]


async def _with_row_ids(arm: Arm, call: Call) -> tuple[Any, ...]:
    if call.method not in BY_ROW_ID | {"exchange"}:
        return call.arguments
    ids = {row.key: row.id for row in (await arm.registry.fleet()).rows}
    if call.method == "exchange":
        model, changes = call.arguments
        return model, {ids.get(key, NO_ROW): change for key, change in changes.items()}
    key, *rest = call.arguments
    return ids.get(key, NO_ROW), *rest


def _without_ids(answer: Any) -> Any:
    """Return the answer with its rows in the order of their keys, since the ids are random in SQL."""
    if isinstance(answer, Replica | ReplicaRow):
        return replace(answer, id="")
    if isinstance(answer, Sequence):
        return sorted((_without_ids(row) for row in answer), key=lambda row: row.key)
    return answer


def simulated(sequence: Sequence[Call]) -> Answers:
    """Return what the simulated registry answers."""
    told: list[Answers] = []

    async def story(arm: Arm) -> None:
        told.append(await answers(arm, sequence))

    tell_simulated("serial", story)
    return told[0]


@pytest.fixture
def in_sql(tmp_path: Path) -> Iterator[Callable[[Sequence[Call]], Answers]]:
    """Give a function that returns what a real registry answers, on a database that stays open between examples."""
    runtime = SettableRuntime()
    url = f"sqlite:///{tmp_path / 'registry.db'}"

    async def open_arm(stack: AsyncExitStack) -> SqlArm:
        return SqlArm(await stack.enter_async_context(connect(url, runtime)), runtime)

    async def play(arm: SqlArm, sequence: Sequence[Call]) -> Answers:
        await arm.registry.reset()
        arm.show(0)
        for facts in (*NODES, SPARE):
            await arm.registry.register_node(facts)
        return await answers(arm, sequence)

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        arm = runner.run(open_arm(stack))
        yield lambda sequence: runner.run(play(arm, sequence))
        runner.run(stack.aclose())


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PUBLICATIONS, max_size=4), st.lists(CALLS, max_size=20))
def test_the_simulated_registry_answers_as_the_real_one(
    in_sql: Callable[[Sequence[Call]], Answers], rows: list[Call], sequence: list[Call]
) -> None:
    assert simulated([*rows, *sequence]) == in_sql([*rows, *sequence])


NOTICED = {
    "confirmed_by_another_clock": [Call(5, "publish", (A, "address", 0)), Call(9, "confirm_row", (A,))],
    "one_success_ends_all_cooldowns": [
        Call(5, "set_cooldown", ("m", Cooldown(1, 9))),
        Call(5, "set_cooldown", ("other", NO_COOLDOWN)),
    ],
    "end_of_a_request_is_a_use": [
        Call(5, "publish", (A, "address", 1)),
        Call(9, "exchange", ("m", {A: RowChange(-1, is_used=False)})),
    ],
}


@pytest.mark.parametrize("slip", NOTICED)
def test_a_slip_in_the_simulated_registry_is_noticed(slip: str, in_sql: Callable[[Sequence[Call]], Answers]) -> None:
    with applied(MUTANTS[slip]):
        wrong = simulated(NOTICED[slip])

    assert wrong != simulated(NOTICED[slip]) == in_sql(NOTICED[slip])
