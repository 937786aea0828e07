"""The count of requests that were kept from their hot replica, against LocalAI's vectors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.routing.policies.prefix.pressure import Pressure
from tests.hand_clock import HandClock

SECOND = 10**9

# id: (instants of the records in seconds, instant of the question in ns, expected count); the first four are LocalAI's.
PRESSURE: dict[str, tuple[list[int], int, int]] = {
    "W1 both in the window": ([0, 30], 40 * SECOND, 2),
    "W2 the first is out of it": ([0, 30], 90 * SECOND, 1),
    "W3 as old as the window": ([0], 60 * SECOND, 1),
    "W4 older by 1 ns": ([0], 60 * SECOND + 1, 0),
    "none recorded": ([], 0, 0),
    "two at one instant": ([5, 5], 5 * SECOND, 2),
}


@pytest.mark.parametrize(("recorded_s", "asked_ns", "expected"), PRESSURE.values(), ids=PRESSURE)
def test_the_pressure_is(recorded_s: list[int], asked_ns: int, expected: int) -> None:
    clock = HandClock()
    pressure = Pressure(clock)
    for at_s in recorded_s:
        clock.t_ns = at_s * SECOND
        pressure.record("m")

    clock.t_ns = asked_ns

    assert pressure.count("m") == expected


def test_a_reset_forgets_the_model_and_no_other() -> None:
    pressure = Pressure(HandClock())
    for model in ("m", "m", "n"):
        pressure.record(model)

    pressure.reset("m")

    assert [pressure.count("m"), pressure.count("n")] == [0, 1]


def test_a_reset_of_nothing_is_no_fault() -> None:
    pressure = Pressure(HandClock())

    pressure.reset("m")

    assert pressure.count("m") == 0


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["m", "n"])), max_size=30))
def test_a_model_counts_its_own_records_as_old_as_the_window_or_younger(steps: list[tuple[int, str]]) -> None:
    clock = HandClock()
    pressure = Pressure(clock, window_ns=5)
    recorded: list[tuple[int, str]] = []
    for wait_ns, model in steps:
        clock.t_ns += wait_ns
        pressure.record(model)
        recorded.append((clock.t_ns, model))

        counts = [pressure.count("m"), pressure.count("n")]

        assert counts == [
            sum(clock.t_ns - at_ns <= 5 and owner == model for at_ns, owner in recorded) for model in ("m", "n")
        ]
