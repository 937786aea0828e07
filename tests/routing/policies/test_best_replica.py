"""The three-tier picker against its published vectors, its order laws, and its SQL twin."""

import random
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.routing.policies.best_replica import pick_best_replica
from sim.routing.replica import Replica, ReplicaKey

T_NS = 1_767_225_600 * 10**9  # 2026-01-01T00:00Z
S_NS = 10**9
GB = 10**9


def replica(node: str, in_flight: int, last_used_ns: int, vram: int, row_id: str = "") -> Replica:
    return Replica(row_id or node, ReplicaKey(node, "m", 0), f"{node}:1", in_flight, last_used_ns, vram)


# id: (candidates in order, expected node); the table of LocalAI's own picker tests.
VECTORS: dict[str, tuple[list[Replica], str | None]] = {
    "P1 empty list": ([], None),
    "P2 the only one, however busy": ([replica("only", 99, T_NS, 1)], "only"),
    "P3 fewest in flight": (
        [
            replica("busy-big", 3, T_NS, 24 * GB),
            replica("idle-small", 0, T_NS, 8 * GB),
            replica("mid", 1, T_NS, 16 * GB),
        ],
        "idle-small",
    ),
    "P4 then least recently used": (
        [
            replica("fat-recent", 0, T_NS + 2 * S_NS, 24 * GB),
            replica("small-oldest", 0, T_NS, 8 * GB),
            replica("mid-middle", 0, T_NS + S_NS, 16 * GB),
        ],
        "small-oldest",
    ),
    "P5 then most free VRAM": (
        [replica("small", 0, T_NS, 8 * GB), replica("fat", 0, T_NS, 24 * GB), replica("mid", 0, T_NS, 16 * GB)],
        "fat",
    ),
    "P6 load goes before age and VRAM": (
        [
            replica("fat-busy-oldest", 5, T_NS, 80 * GB),
            replica("small-idle-recent", 0, T_NS + 3600 * S_NS, 4 * GB),
        ],
        "small-idle-recent",
    ),
    "P7 a full tie goes to the first": (
        [replica("first", 0, T_NS, 8 * GB), replica("second", 0, T_NS, 8 * GB), replica("third", 0, T_NS, 8 * GB)],
        "first",
    ),
    "P7 reversed, the last comes first": (
        [replica("third", 0, T_NS, 8 * GB), replica("second", 0, T_NS, 8 * GB), replica("first", 0, T_NS, 8 * GB)],
        "third",
    ),
    "P8 SQL mirror": (
        [
            replica("mirror-loser-busy", 2, T_NS, 32 * GB),
            replica("mirror-loser-recent", 0, T_NS + 3600 * S_NS, 8 * GB),
            replica("mirror-winner-mid", 0, T_NS, 16 * GB),
            replica("mirror-winner-fat", 0, T_NS, 24 * GB),
        ],
        "mirror-winner-fat",
    ),
}


@pytest.mark.parametrize(("candidates", "expected"), VECTORS.values(), ids=VECTORS)
def test_picks_the_published_winner(candidates: list[Replica], expected: str | None) -> None:
    before = [(c.in_flight, c.last_used_ns, c.available_vram_bytes) for c in candidates]

    best = pick_best_replica(candidates)

    assert (best.key.node if best else None) == expected
    assert [(c.in_flight, c.last_used_ns, c.available_vram_bytes) for c in candidates] == before


def test_scans_any_iterable_once_and_returns_the_object_itself() -> None:
    best = replica("idle", 0, 0, 1)

    picked = pick_best_replica(iter([replica("busy", 1, 0, 1), best]))

    assert picked is best


def row_order(row: Replica) -> tuple[int, int, int, str]:
    """Say the policy once more, as a sort key over registry rows; the row id makes the order total."""
    return (row.in_flight, row.last_used_ns, -row.available_vram_bytes, row.id)


few_values = st.integers(0, 2)
replica_lists = st.lists(st.tuples(few_values, few_values, few_values), max_size=8).map(
    lambda loads: [replica(f"n{i}", *load, row_id=f"row-{i:03d}") for i, load in enumerate(loads)]
)


@given(replica_lists, st.randoms(use_true_random=False))
def test_by_row_id_the_choice_does_not_depend_on_the_order_of_the_input(
    rows: list[Replica], shuffler: random.Random
) -> None:
    shuffled = shuffler.sample(rows, len(rows))

    winner = pick_best_replica(sorted(shuffled, key=lambda row: row.id))

    assert winner == min(rows, key=row_order, default=None)


@given(replica_lists)
def test_of_those_that_no_other_is_better_than_the_first_is_picked(rows: list[Replica]) -> None:
    # min keeps the first of equals.
    assert pick_best_replica(rows) is min(rows, key=lambda row: row_order(row)[:3], default=None)


@given(replica_lists)
def test_the_same_row_wins_in_sql(rows: list[Replica]) -> None:
    database = sqlite3.connect(":memory:")
    database.execute("create table rows (id text, in_flight int, last_used int, vram int)")
    database.executemany(
        "insert into rows values (?, ?, ?, ?)",
        [(row.id, row.in_flight, row.last_used_ns, row.available_vram_bytes) for row in rows],
    )

    found = database.execute(
        "select id from rows order by in_flight asc, last_used asc, vram desc, id asc limit 1"
    ).fetchone()
    database.close()

    winner = pick_best_replica(rows)
    assert (found[0] if found else None) == (winner.id if winner else None)
