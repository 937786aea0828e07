"""Observers of a run: what they are told, in which order, and that they change nothing."""

from typing import Any

import pytest

from sim import Observer, RunView, ScenarioFile, loads, run
from sim.observer import begin
from sim.routing.journal import JOURNAL_CALLS
from sim.routing.ports import Journal
from tests.hand_clock import HandClock
from tests.recorders import NOTHING_PLANNED

LIVELY = """
name: observed
duration: 30s
nodes: [{name: a, slots: 2}, {name: b}]
models:
  - name: m
    backend: {load_time: 3s, install_time: 1s}
    service: {mean: 500ms}
    scheduling: {min: 2}
    replicas: [{node: a}]
control_plane: {heartbeat: 2s, health_monitor: {tick: 3s, stale_after: 8s}, reconciler: {tick: 4s}}
workload: [{kind: poisson, model: m, rate: 3/s}]
faults:
  - {kind: node_crash, node: a, at: 9s, restart_after: 9s}
  - {kind: client_leaves, stage: mid_stream, rate: 0.2}
"""


@pytest.fixture
def lively() -> ScenarioFile:
    return loads(LIVELY)


class Ledger(Observer):
    """Keeps when it was told what, and everything that the view shows."""

    def __init__(self) -> None:
        self.told: list[tuple[int, str]] = []
        self.alive: list[bool] = []

    def begin(self, view: RunView) -> None:
        self.view = view

    def __getattribute__(self, name: str) -> Any:
        if name not in JOURNAL_CALLS:
            return super().__getattribute__(name)

        def tell(*args: object, **named: object) -> None:
            self.told.append((self.view.clock.now_ns(), name))
            self.alive.append(self.view.is_alive(str([*args, *named.values()][-1])))

        return tell


def test_an_observer_is_told_everything_that_the_tables_hold_as_it_happens(lively: ScenarioFile) -> None:
    ledger = Ledger()

    result = run(lively, observers=[ledger])

    calls = [call for _, call in ledger.told]
    assert calls.count("arrived") == calls.count("ended") == len(result.requests) > 50
    assert calls.count("picked") == len(result.picks)
    assert calls.count("probed") == len(result.probes)
    struck_s = [t_ns / 1e9 for t_ns, call in ledger.told if call == "fault_struck"]
    assert struck_s == result.events[result.events["kind"] == "fault_struck"]["t_s"].tolist()
    assert [t_ns for t_ns, _ in ledger.told] == sorted(t_ns for t_ns, _ in ledger.told)


def test_observers_that_read_all_there_is_leave_the_digest_as_it_is(lively: ScenarioFile) -> None:
    ledgers = [Ledger(), Ledger()]

    observed = run(lively, observers=ledgers)

    assert observed.digest == run(lively).digest
    assert ledgers[0].told == ledgers[1].told


def test_an_observer_sees_the_run_that_it_is_told_of(lively: ScenarioFile) -> None:
    views: list[RunView] = []

    class Waiting:
        def begin(self, view: RunView) -> None:
            assert view.clock.now_ns() == 0
            views.append(view)

    run(lively, seed=5, observers=[Waiting()])

    [view] = views
    assert view.clock.now_ns() >= 30 * 10**9
    assert (view.plan.scenario.name, view.plan.seed) == ("observed", 5)


def test_an_observer_may_have_a_single_method(lively: ScenarioFile) -> None:
    class CountsPicks:
        picks = 0

        def picked(self, request: object, replica: object, remembered: object) -> None:
            self.picks += 1

    counter = CountsPicks()

    assert len(run(lively, observers=[counter]).picks) == counter.picks > 50


def test_observers_are_told_in_their_order() -> None:
    told: list[str] = []

    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

        def lock_waited(self, wait_ns: int) -> None:
            told.append(f"{self.name} {wait_ns}")

    journal = begin([Named("first"), Named("second")], view_of_nothing(), report=never)
    journal.lock_waited(wait_ns=1)
    journal.lock_waited(2)
    journal.scaled("m", 1, "nobody listens")

    assert told == ["first 1", "second 1", "first 2", "second 2"]


def test_a_single_observer_is_the_journal_itself_so_that_it_costs_no_detour() -> None:
    class Deaf:
        def begin(self, view: RunView) -> None: ...

    ledger = Ledger()

    assert begin([ledger, Deaf()], view_of_nothing(), report=never) is ledger


@pytest.mark.parametrize("call", ["arrived", "picked", "probed", "install_started", "fault_struck", "node_changed"])
def test_an_error_of_an_observer_stops_the_run_wherever_it_is_told_and_names_it(
    lively: ScenarioFile, call: str
) -> None:
    class Broken(Observer):
        pass

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("no more than this")

    fail.__qualname__ = f"Broken.{call}"
    setattr(Broken, call, fail)

    with pytest.raises(AssertionError, match="no more than this") as caught:
        run(lively, observers=[Broken()])

    assert f"Broken.{call}" in caught.value.__notes__[0]


class Misspelt(Observer):
    def pickd(self) -> None: ...


class Unrelated:
    def walk(self) -> None: ...


@pytest.mark.parametrize(
    ("observer", "message"),
    [
        (Misspelt(), "Misspelt.pickd is no call of an observer; did you mean 'picked'?"),
        (Unrelated(), "Unrelated has no method of an observer; allowed: begin, arrived, chose, picked, "),
        (Ledger, "found the class Ledger as an observer; allowed: an instance of it"),
    ],
    ids=["misspelt", "no method", "a class"],
)
def test_what_is_no_observer_is_refused_before_the_run(lively: ScenarioFile, observer: object, message: str) -> None:
    with pytest.raises(TypeError) as refusal:
        run(lively, observers=[observer])

    assert str(refusal.value).startswith(message)


def test_methods_of_an_observers_own_are_its_own_affair(lively: ScenarioFile) -> None:
    class WithReport(Observer):
        def report(self) -> str:
            return "nothing"

    assert run(lively, observers=[WithReport()]).digest == run(lively).digest


def test_the_base_has_every_call_of_the_journal_and_begin() -> None:
    own = [name for name in dir(Observer) if not name.startswith("_")]

    assert sorted(own) == sorted([*JOURNAL_CALLS, "begin"])
    assert issubclass(Observer, Journal)


def view_of_nothing() -> RunView:
    return RunView(HandClock(), bool, NOTHING_PLANNED)


def never(error: Exception) -> None:
    raise error
