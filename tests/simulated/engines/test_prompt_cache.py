"""What a backend's cache of prompts spares."""

from contextlib import suppress

import pytest

from sim.routing.errors import CallError, Unavailable
from sim.routing.request import Chain, Request
from sim.simulated.engines.fifo import FifoEngine
from sim.simulated.engines.port import EngineSettings
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.nodes.work_speed import FULL_SPEED

PREFILL_NS, DECODE_NS = 60, 7


class Heard:
    def __init__(self, runtime: SimulatedRuntime) -> None:
        self.recalls: list[tuple[int, int]] = []
        self.first_tokens_ns: list[int] = []
        self.ends_ns: list[int] = []
        self._runtime = runtime

    def begins(self, request: Request) -> None:
        """Serve whatever comes."""

    def recalled(self, request: Request, blocks: int) -> None:
        self.recalls.append((request.id, blocks))

    def first_token(self, request: Request) -> None:
        self.first_tokens_ns.append(self._runtime.now_ns())

    def ends(self, request: Request) -> None:
        self.ends_ns.append(self._runtime.now_ns())


def serve(blocks: int, *chains: Chain, cut_off_at_ns: int | None = None) -> Heard:
    """Serve a request of each chain, one after the other; the first may be cut off."""
    runtime = SimulatedRuntime()
    heard = Heard(runtime)
    settings = EngineSettings(1, "independent", lambda *_size: (PREFILL_NS, DECODE_NS), True, blocks)
    engine = FifoEngine(runtime, settings, FULL_SPEED)

    async def call(number: int, chain: Chain) -> None:
        with suppress(CallError):
            await engine.predict(Request(number, "m", 0, 0, 0, chain=chain), heard)

    calls = [runtime.spawn(call(number, chain), "call") for number, chain in enumerate(chains)]

    async def cut_off() -> None:
        await runtime.sleep(cut_off_at_ns or 0)
        calls[0].interrupt(Unavailable("gone"))

    if cut_off_at_ns is not None:
        runtime.spawn(cut_off(), "cut")
    runtime.run_tasks(10**18)
    return heard


def test_a_prompt_takes_prefill_for_the_blocks_that_are_not_cached() -> None:
    heard = serve(9, (1, 2, 3), (1, 2, 4), (1, 2, 4))

    assert heard.recalls == [(0, 0), (1, 2), (2, 3)]
    assert heard.first_tokens_ns == [60, 60 + 7 + 20, 60 + 7 + 20 + 7]
    assert heard.ends_ns == [67, 94, 101]


@pytest.mark.parametrize(("blocks", "chain"), [(0, (1, 2)), (9, ())], ids=["no cache", "no prompt"])
def test_nothing_is_spared_or_told_without(blocks: int, chain: Chain) -> None:
    heard = serve(blocks, chain, chain)

    assert heard.recalls == []
    assert heard.ends_ns == [67, 134]


def test_a_prompt_is_cached_once_all_of_it_is_read() -> None:
    heard = serve(9, (1, 2), (1, 2), cut_off_at_ns=59)

    assert heard.recalls == [(0, 0), (1, 0)]
