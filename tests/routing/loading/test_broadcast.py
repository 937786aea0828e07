"""How those who wait hear of an end, in both worlds: nobody misses it, and one who leaves disturbs nobody."""

from sim.routing.loading.broadcast import Broadcast, Signal
from sim.routing.ports import Runtime
from tests.drivers import MS, Driver


async def listen(broadcast: Broadcast, model: str, name: str, heard: list[str]) -> None:
    with broadcast.listening(model) as closed:
        await closed.wait()
        heard.append(name)


def test_everyone_who_listens_hears_the_end_in_the_order_they_came(driver: Driver) -> None:
    async def story(runtime: Runtime) -> list[str]:
        broadcast, heard = Broadcast(runtime), list[str]()
        for name in ("first", "second", "third"):
            runtime.spawn(listen(broadcast, "m", name, heard), name)
            await runtime.sleep(MS)
        broadcast.close("m")
        await runtime.sleep(MS)
        return heard

    assert driver.run(story) == ["first", "second", "third"]


def test_the_end_of_one_model_is_not_that_of_another(driver: Driver) -> None:
    async def story(runtime: Runtime) -> list[str]:
        broadcast, heard = Broadcast(runtime), list[str]()
        for model in ("m", "other"):
            runtime.spawn(listen(broadcast, model, f"of {model}", heard), model)
        await runtime.sleep(MS)
        broadcast.close("m")
        await runtime.sleep(MS)
        only_m = list(heard)
        broadcast.close("other")
        await runtime.sleep(MS)
        return only_m

    assert driver.run(story) == ["of m"]


def test_one_who_leaves_disturbs_nobody(driver: Driver) -> None:
    async def story(runtime: Runtime) -> list[str]:
        broadcast, heard = Broadcast(runtime), list[str]()
        tasks = [runtime.spawn(listen(broadcast, "m", name, heard), name) for name in ("stays", "leaves", "stays too")]
        await runtime.sleep(MS)
        tasks[1].cancel()
        await runtime.sleep(MS)
        broadcast.close("m")
        await runtime.sleep(MS)
        return heard

    assert driver.run(story) == ["stays", "stays too"]


def test_whoever_comes_after_an_end_waits_for_the_next(driver: Driver) -> None:
    async def story(runtime: Runtime) -> list[bool]:
        broadcast = Broadcast(runtime)
        with broadcast.listening("m") as first:
            broadcast.close("m")
            with broadcast.listening("m") as second:
                return [await first.within(MS), await second.within(MS)]

    assert driver.run(story) == [True, False]


def test_a_signal_is_heard_by_a_wait_that_begins_later(driver: Driver) -> None:
    async def story(runtime: Runtime) -> bool:
        signal = Signal(runtime)
        signal.give()
        await signal.wait()
        return await signal.within(MS)

    assert driver.run(story) is True


def test_a_wait_that_was_given_up_costs_the_next_one_nothing(driver: Driver) -> None:
    async def story(runtime: Runtime) -> list[bool]:
        signal, told = Signal(runtime), list[bool]()

        async def wait_twice() -> None:
            told.append(await signal.within(MS))
            told.append(await signal.within(1_000 * MS))

        waiting = runtime.spawn(wait_twice(), "waiting")
        await runtime.sleep(20 * MS)
        signal.give()
        await runtime.sleep(20 * MS)
        return [*told, waiting.done()]

    assert driver.run(story) == [False, True, True]


def test_a_signal_given_between_two_waits_is_not_missed(driver: Driver) -> None:
    async def story(runtime: Runtime) -> list[bool]:
        signal = Signal(runtime)
        first = await signal.within(MS)
        signal.give()
        return [first, await signal.within(MS)]

    assert driver.run(story) == [False, True]
