"""Engines: every name of the catalogue stands for one that serves, and `fifo` serves first come, first served."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import pytest

from sim.routing.errors import CallError, Unavailable, WrongModel
from sim.routing.request import Request
from sim.scenario.spec.engines import ENGINES, HealthName
from sim.simulated.engines.fifo import FifoEngine
from sim.simulated.engines.port import Engine, EngineSettings, engine_named
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.nodes.work_speed import FULL_SPEED

FAR_NS = 10**18
PREFILL_NS, DECODE_NS = 3, 7


def settings(workers: int = 1, *, has_prefill: bool = True, health: HealthName = "serialized") -> EngineSettings:
    return EngineSettings(workers, health, lambda *_size: (PREFILL_NS, DECODE_NS), has_prefill)


def request(number: int) -> Request:
    return Request(number, "m", 0, 0, 0, 0, 0, 0)


class Heard:
    """A service that notes what it is told, and when; it turns away requests of the numbers given."""

    def __init__(self, runtime: SimulatedRuntime, turned_away: tuple[int, ...] = ()) -> None:
        self.told: list[tuple[int, str, int]] = []
        self._runtime = runtime
        self._turned_away = turned_away

    def begins(self, request: Request) -> None:
        self._note("begins", request)
        if request.id in self._turned_away:
            raise WrongModel("not this one")

    def recalled(self, request: Request, blocks: int) -> None:
        self._note("recalled", request)

    def first_token(self, request: Request) -> None:
        self._note("first token", request)

    def ends(self, request: Request) -> None:
        self._note("ends", request)

    async def call(self, engine: Engine, number: int) -> None:
        try:
            await engine.predict(request(number), self)
        except WrongModel:
            self._note("turned away", request(number))

    def _note(self, what: str, request: Request) -> None:
        self.told.append((self._runtime.now_ns(), what, request.id))


def run(runtime: SimulatedRuntime, *works: Coroutine[Any, Any, None]) -> None:
    for work in works:
        runtime.spawn(work, "call")
    runtime.run_tasks(FAR_NS)


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_of_the_catalogue_tells_of_a_request_as_it_serves_it_and_is_idle_again(name: str) -> None:
    runtime = SimulatedRuntime()
    engine, heard = engine_named(name)(runtime, settings(), FULL_SPEED), Heard(runtime)

    run(runtime, heard.call(engine, 0))

    assert [what for _, what, _ in heard.told] == ["begins", "first token", "ends"]
    assert engine.is_idle()


def test_the_first_token_is_told_after_prefill_when_it_comes() -> None:
    runtime = SimulatedRuntime()
    heard = Heard(runtime)

    run(runtime, heard.call(FifoEngine(runtime, settings(), FULL_SPEED), 0))

    assert heard.told == [(0, "begins", 0), (3, "first token", 0), (10, "ends", 0)]


def test_a_service_without_prefill_tells_no_first_token() -> None:
    runtime = SimulatedRuntime()
    heard = Heard(runtime)

    run(runtime, heard.call(FifoEngine(runtime, settings(has_prefill=False), FULL_SPEED), 0))

    assert heard.told == [(0, "begins", 0), (7, "ends", 0)]


def test_calls_are_served_in_the_order_they_came_as_many_at_a_time_as_there_are_workers() -> None:
    runtime = SimulatedRuntime()
    engine, heard = FifoEngine(runtime, settings(workers=2, has_prefill=False), FULL_SPEED), Heard(runtime)

    run(runtime, *(heard.call(engine, number) for number in range(3)))

    begun = [(at_ns, number) for at_ns, what, number in heard.told if what == "begins"]
    assert begun == [(0, 0), (0, 1), (7, 2)]


def test_a_request_that_is_turned_away_frees_its_worker_at_once() -> None:
    runtime = SimulatedRuntime()
    engine, heard = FifoEngine(runtime, settings(), FULL_SPEED), Heard(runtime, turned_away=(1,))

    run(runtime, *(heard.call(engine, number) for number in range(3)))

    begun_ns = {number: at_ns for at_ns, what, number in heard.told if what == "begins"}
    assert begun_ns == {0: 0, 1: 10, 2: 10}
    assert (10, "turned away", 1) in heard.told


def test_other_work_takes_its_turn_and_makes_later_calls_wait() -> None:
    runtime = SimulatedRuntime()
    engine, heard = FifoEngine(runtime, settings(), FULL_SPEED), Heard(runtime)
    load: Callable[[], Coroutine[Any, Any, None]] = partial(FULL_SPEED.work, 100)

    run(runtime, heard.call(engine, 0), engine.in_turn(load), heard.call(engine, 1))

    assert (110, "begins", 1) in heard.told


def test_service_that_is_broken_off_ends_then() -> None:
    runtime = SimulatedRuntime()
    engine, heard = FifoEngine(runtime, settings(), FULL_SPEED), Heard(runtime)
    broken_off: list[CallError] = []

    async def call() -> None:
        try:
            await heard.call(engine, 0)
        except CallError as error:
            broken_off.append(error)

    async def end() -> None:
        await runtime.sleep(5)
        first.interrupt(Unavailable("the process has ended"))

    first = runtime.spawn(call(), "call")
    run(runtime, end())

    assert heard.told == [(0, "begins", 0), (3, "first token", 0), (5, "ends", 0)]
    assert len(broken_off) == 1


def test_a_caller_that_leaves_frees_its_worker_for_the_next() -> None:
    runtime = SimulatedRuntime()
    engine, heard = FifoEngine(runtime, settings(), FULL_SPEED), Heard(runtime)

    async def leave() -> None:
        await runtime.sleep(5)
        first.cancel()

    first = runtime.spawn(heard.call(engine, 0), "call")
    run(runtime, heard.call(engine, 1), leave())

    assert heard.told[:3] == [(0, "begins", 0), (3, "first token", 0), (5, "begins", 1)]
