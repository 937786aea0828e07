"""First come, first served, also when somebody leaves."""

from sim.simulated.kernel.fifo_queue import FifoQueue
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.kernel.task import SimTask

FAR_NS = 10**18


def test_places_go_to_those_who_ask_in_the_order_they_asked() -> None:
    runtime, log = SimulatedRuntime(), []
    queue = FifoQueue(runtime, places=2)

    async def use(number: int) -> None:
        await queue.acquire()
        log.append((runtime.now_ns(), number))
        await runtime.sleep(10)
        queue.release()

    for number in range(5):
        runtime.spawn(use(number), "use")
    runtime.run_tasks(FAR_NS)

    assert log == [(0, 0), (0, 1), (10, 2), (10, 3), (20, 4)]
    assert queue.is_free()


def leave_while_waiting(at_ns: int) -> list[tuple[int, int]]:
    runtime = SimulatedRuntime()
    log: list[tuple[int, int]] = []
    queue = FifoQueue(runtime, places=1)
    tasks: list[SimTask] = []

    async def use(number: int) -> None:
        await queue.acquire()
        try:
            log.append((runtime.now_ns(), number))
            await runtime.sleep(10)
        finally:
            queue.release()

    async def leave() -> None:
        await runtime.sleep(at_ns)
        tasks[1].cancel()

    tasks.extend(runtime.spawn(use(number), "use") for number in range(3))
    runtime.spawn(leave(), "leave")
    runtime.run_tasks(FAR_NS)
    assert queue.is_free()
    return log


def test_whoever_leaves_the_queue_is_passed_over() -> None:
    log = leave_while_waiting(at_ns=5)

    assert log == [(0, 0), (10, 2)]


def test_a_place_handed_to_someone_who_leaves_at_that_instant_goes_to_the_next() -> None:
    log = leave_while_waiting(at_ns=10)

    assert log[0] == (0, 0)
    assert log[-1][1] == 2
    assert [number for _, number in log].count(2) == 1
