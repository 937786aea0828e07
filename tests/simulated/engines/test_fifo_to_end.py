"""The engine that serves what it has begun to the end, whoever has left."""

from functools import partial

from sim.routing.errors import DeadlineExceeded, Unavailable
from sim.simulated.engines.fifo_to_end import FifoToEndEngine
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.nodes.work_speed import FULL_SPEED
from tests.simulated.engines.test_engines import Heard, request, run, settings


async def patient_until(limit_ns: int, runtime: SimulatedRuntime, engine: FifoToEndEngine, heard: Heard) -> None:
    """Call as request 1, and leave after the limit."""
    try:
        await runtime.within(limit_ns, engine.predict(request(1), heard))
    except DeadlineExceeded:
        heard.told.append((runtime.now_ns(), "left", 1))


def test_a_caller_that_leaves_while_it_is_served_frees_no_worker_and_hears_no_more() -> None:
    runtime = SimulatedRuntime()
    engine, heard = FifoToEndEngine(runtime, settings(), FULL_SPEED), Heard(runtime)

    run(runtime, patient_until(2, runtime, engine, heard), heard.call(engine, 0))

    assert heard.told == [
        (0, "begins", 1),
        (2, "left", 1),
        (10, "begins", 0),
        (13, "first token", 0),
        (20, "ends", 0),
    ]
    assert engine.is_idle()


def test_a_caller_that_leaves_the_queue_takes_its_call_along() -> None:
    runtime = SimulatedRuntime()
    engine, heard = FifoToEndEngine(runtime, settings(), FULL_SPEED), Heard(runtime)

    run(runtime, heard.call(engine, 0), patient_until(5, runtime, engine, heard), heard.call(engine, 2))

    begun = [(at_ns, number) for at_ns, what, number in heard.told if what == "begins"]
    assert begun == [(0, 0), (10, 2)]


def test_a_health_call_waits_for_the_work_that_nobody_waits_for() -> None:
    runtime = SimulatedRuntime()
    engine, heard = FifoToEndEngine(runtime, settings(), FULL_SPEED), Heard(runtime)

    async def ask() -> None:
        await engine.health()
        heard.told.append((runtime.now_ns(), "healthy", 0))

    run(runtime, patient_until(2, runtime, engine, heard), ask())

    assert heard.told[-1] == (10, "healthy", 0)


def test_a_request_that_is_turned_away_frees_its_worker_at_once() -> None:
    runtime = SimulatedRuntime()
    engine, heard = FifoToEndEngine(runtime, settings(), FULL_SPEED), Heard(runtime, turned_away=(0,))

    run(runtime, *map(partial(heard.call, engine), range(2)))

    assert (0, "begins", 1) in heard.told


def test_service_that_is_broken_off_ends_then() -> None:
    runtime = SimulatedRuntime()
    engine, heard = FifoToEndEngine(runtime, settings(), FULL_SPEED), Heard(runtime)

    async def call() -> None:
        try:
            await engine.predict(request(0), heard)
        except Unavailable:
            heard.told.append((runtime.now_ns(), "broken off", 0))

    async def break_off() -> None:
        await runtime.sleep(4)
        caller.interrupt(Unavailable("the process has ended"))

    caller = runtime.spawn(call(), "call")
    run(runtime, break_off())

    assert heard.told[-2:] == [(4, "ends", 0), (4, "broken off", 0)]
