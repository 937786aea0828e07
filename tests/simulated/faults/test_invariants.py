"""The ledger of invariants itself: it finds each bug that it is there for."""

from collections.abc import Callable

import pytest

from sim.observer import RunView
from sim.routing.fleet import NodeStatus
from sim.routing.outcomes import Outcome, ProbeOutcome
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request
from tests.hand_clock import HandClock
from tests.recorders import NOTHING_PLANNED
from tests.simulated.faults.compose import composed
from tests.simulated.faults.invariants import UNHEARD_NS, Ledger

KEY = ReplicaKey("spark", "m", 0)
REPLICA = Replica("row", KEY, "spark:1", 0, 0, 0)
ASKED = Request(0, "m", 0, 0, arrival_ns=100, prompt_tokens=0, output_tokens=0, demand_ns=0)


def test_a_sound_run_breaks_nothing() -> None:
    result, broken = composed(("node_slow", "clock_coarse"), "fixed")

    assert broken == []
    assert result.metrics["requests.completed"] > 100


class Story:
    """Tells a ledger of a run, each thing at its time."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.ledger = Ledger()
        self.ledger.begin(RunView(self.clock, bool, NOTHING_PLANNED))

    def at(self, t_ns: int) -> Ledger:
        self.clock.t_ns = t_ns
        return self.ledger


def arrives_twice(story: Story) -> None:
    story.at(100).arrived(ASKED)
    story.at(100).arrived(ASKED)


def arrives_late(story: Story) -> None:
    story.at(101).arrived(ASKED)


def ends_twice(story: Story) -> None:
    story.at(100).arrived(ASKED)
    for t_ns in (200, 300):
        story.at(t_ns).ended(ASKED, Outcome.COMPLETED, "")


def ends_early(story: Story) -> None:
    story.at(5).ended(ASKED, Outcome.COMPLETED, "")


def goes_back_in_time(story: Story) -> None:
    story.at(100).arrived(ASKED)
    story.at(99).lock_waited(1)


def picks_an_offline_node(story: Story) -> None:
    story.at(100).arrived(ASKED)
    story.at(200).node_changed("spark", NodeStatus.OFFLINE, "stale_heartbeat")
    story.at(200 + UNHEARD_NS).picked(ASKED, REPLICA, None)
    story.at(201 + UNHEARD_NS).picked(ASKED, REPLICA, None)


def probes_twice_at_once(story: Story) -> None:
    story.at(100).arrived(ASKED)
    story.at(300).probed(ASKED, KEY, "spark:1", 200, ProbeOutcome.OK)
    story.at(400).probed(ASKED, KEY, "spark:1", 299, ProbeOutcome.OK)


BUGS: dict[Callable[[Story], None], list[str]] = {
    arrives_twice: ["request 0 arrived twice"],
    arrives_late: ["request 0 arrived at another time than its own"],
    ends_twice: ["request 0 ended twice"],
    ends_early: ["request 0 ended without having arrived", "request 0 ended before it arrived"],
    goes_back_in_time: ["lock_waited was told at 99 ns, after something at 100 ns"],
    picks_an_offline_node: [f"spark was picked at {201 + UNHEARD_NS} ns while it was offline"],
    probes_twice_at_once: ["frontend 0 had two probes of spark:1 under way at once"],
}


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_bug_is_noticed(bug: Callable[[Story], None]) -> None:
    story = Story()

    bug(story)

    assert story.ledger.finish(offered=1) == BUGS[bug]


def test_what_is_in_order_is_not_noticed() -> None:
    story = Story()
    story.at(100).arrived(ASKED)
    story.at(150).node_changed("spark", NodeStatus.OFFLINE, "stale_heartbeat")
    story.at(200 + UNHEARD_NS).node_changed("spark", NodeStatus.HEALTHY, "heartbeat")
    story.at(201 + UNHEARD_NS).picked(ASKED, REPLICA, None)
    for start_ns in (300, 400):
        story.at(start_ns + 2 * UNHEARD_NS).probed(ASKED, KEY, "spark:1", start_ns + UNHEARD_NS * 2, ProbeOutcome.OK)
    story.at(500 + 2 * UNHEARD_NS).ended(ASKED, Outcome.COMPLETED, "")

    assert story.ledger.finish(offered=1) == []


def test_a_request_that_was_never_heard_of_is_noticed() -> None:
    story = Story()
    story.at(100).arrived(ASKED)

    assert story.ledger.finish(offered=2) == ["a request was lost, or one came from nowhere"]
