"""What each kind of list shows a policy between two readings."""

from dataclasses import replace

import pytest

from sim.routing.policies.best_replica import ChooseBest
from sim.routing.replica import NULL, Replica, ReplicaKey
from sim.routing.replica_list.listed import OwnInFlight, OwnSends, Rotating, Snapshot
from tests.choices import BEST

NAMES = "abc"
KEYS = {name: ReplicaKey(name, "m", 0) for name in NAMES}


def rows(**in_flight: int) -> list[Replica]:
    return [Replica(f"row-{name}", KEYS[name], f"{name}:1", count, 0, 0) for name, count in in_flight.items()]


def picks(listed: Snapshot, count: int, *, ending: bool = False) -> str:
    """Pick so often, and tell the list of it as a frontend does; `ending` has each request end before the next pick."""
    nodes = ""
    for second in range(count):
        chosen = listed.pick(BEST)
        assert chosen is not None
        listed.used(chosen.key, second + 1)
        listed.counted(chosen.key, 1)
        if ending:
            listed.counted(chosen.key, -1)
        nodes += chosen.key.node
    return nodes


@pytest.mark.parametrize(
    ("new_list", "kept", "ended"),
    [
        pytest.param(Snapshot, "bbbbbb", "bbbbbb", id="a snapshot sends everything to the least loaded"),
        pytest.param(OwnSends, "bcbacb", "bcbacb", id="own sends fill up, and their ends are not seen"),
        pytest.param(OwnInFlight, "bcbacb", "bbbbbb", id="own requests in flight fill up and go"),
        pytest.param(Rotating, "bcabca", "bcabca", id="turns go in the order of the reading"),
    ],
)
def test_lists_differ_in_what_they_show_of_the_requests_since(new_list: type[Snapshot], kept: str, ended: str) -> None:
    assert picks(new_list(rows(a=2, b=0, c=1)), 6) == kept
    assert picks(new_list(rows(a=2, b=0, c=1)), 6, ending=True) == ended


@pytest.mark.parametrize("new_list", [Snapshot, OwnSends, OwnInFlight, Rotating])
def test_a_replica_that_is_dropped_is_picked_no_more(new_list: type[Snapshot]) -> None:
    listed = new_list(rows(a=0, b=9))
    assert picks(listed, 1) == "a"

    listed.drop(KEYS["a"])
    listed.drop(KEYS["c"])  # It was never there.

    assert picks(listed, 2) == "bb"


@pytest.mark.parametrize("new_list", [Snapshot, OwnSends, OwnInFlight, Rotating])
def test_only_rows_on_the_choices_nodes_are_picked(new_list: type[Snapshot]) -> None:
    listed = new_list(rows(a=0, b=5))

    on_b = [listed.pick(ChooseBest(nodes=["b"])) for _ in range(2)]

    assert [replica and replica.key.node for replica in on_b] == ["b", "b"]
    assert listed.pick(ChooseBest(nodes=["elsewhere"])) is None
    assert new_list([]).pick(BEST) is None


def test_more_ends_than_were_read_do_not_make_a_replica_less_than_idle() -> None:
    listed = OwnInFlight(rows(a=1, b=0))

    listed.counted(KEYS["a"], -3)

    assert picks(listed, 2) == "ab"


@pytest.mark.parametrize("new_list", [Snapshot, OwnSends, OwnInFlight, Rotating])
def test_of_two_rows_of_a_replica_the_first_is_shown(new_list: type[Snapshot]) -> None:
    (first,), (second,) = rows(a=5), rows(a=0)

    chosen = new_list([first, replace(second, id="row-twin")]).pick(BEST)

    assert chosen is first


@pytest.mark.parametrize("new_list", [OwnSends, OwnInFlight])
def test_a_count_that_is_null_stays_null_as_it_does_in_the_table(new_list: type[Snapshot]) -> None:
    listed = new_list(rows(a=NULL, b=NULL))

    listed.counted(KEYS["a"], 1)

    # Neither is known to have fewer, so that the next tier decides.
    assert picks(listed, 1) == "a"
