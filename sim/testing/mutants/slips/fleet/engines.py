"""Slips in what a process does with its calls: cached prompts, health calls, calls that arrive twice."""

from sim.prompt_cache import PromptCache
from sim.routing.request import Chain, Request
from sim.simulated.engines.fifo import FifoEngine
from sim.simulated.engines.port import Service
from sim.simulated.engines.workers import WORKERS, EventLoop, Threads
from sim.simulated.nodes.backend import BackendProcess
from sim.testing.mutants.mutant import Mutant, in_place_of

_CACHE = "sim.prompt_cache:PromptCache"


@in_place_of(f"{_CACHE}.leading", "engines_by_hand")
def any_cached_block_counts(self: PromptCache, chain: Chain) -> int:
    """A cached block is of use although one before it is not cached."""
    return sum(block in self._blocks for block in chain)


@in_place_of(f"{_CACHE}.keep", "engines_by_hand")
def newest_blocks_go_first(self: PromptCache, chain: Chain) -> None:
    """A full cache drops what was used last."""
    for block in reversed(chain):
        self._blocks[block] = None
        self._blocks.move_to_end(block)
    while len(self._blocks) > self._most_blocks:
        self._blocks.popitem()


@in_place_of(f"{_CACHE}.keep", "engines_by_hand")
def beginning_of_a_prompt_goes_first(self: PromptCache, chain: Chain) -> None:
    """A prompt's beginning is dropped before its end, so that its rest is of no use: `reversed` is missing."""
    for block in chain:
        self._blocks[block] = None
        self._blocks.move_to_end(block)
    while len(self._blocks) > self._most_blocks:
        self._blocks.popitem(last=False)


@in_place_of(f"{_CACHE}.keep", "engines_by_hand")
def use_does_not_keep_a_block(self: PromptCache, chain: Chain) -> None:
    """Blocks are dropped in the order in which they came, however lately they were used."""
    for block in reversed(chain):
        self._blocks[block] = None
    while len(self._blocks) > self._most_blocks:
        self._blocks.popitem(last=False)


@in_place_of(f"{_CACHE}.clear", "engines_by_hand")
def prompts_outlive_a_load(self: PromptCache) -> None:
    """What was cached of prompts is there after the model was loaded anew."""


@in_place_of("sim.simulated.engines.fifo:FifoEngine._prefill_rest", "engines_by_hand")
async def cached_prompt_is_read_again(
    self: FifoEngine, prompts: PromptCache, prefill_ns: int, request: Request, service: Service
) -> None:
    """A prompt takes as long as if nothing of it were cached."""
    service.recalled(request, prompts.leading(request.chain))
    await self._speed.work(prefill_ns)
    prompts.keep(request.chain)


@in_place_of("sim.simulated.engines.workers:EventLoop.release", "engines_by_hand")
def loop_answers_all_at_once(self: EventLoop) -> None:
    """All health calls that wait are answered at the end of a request, where one should be."""
    for turn in list(self._asking):
        del self._asking[turn]
        turn.set_result(None)
    Threads.release(self)


@in_place_of("sim.simulated.engines.workers:EventLoop.health", "engines_by_hand")
async def loop_answers_while_it_works(self: EventLoop) -> None:
    """A health call is answered although the loop is blocked."""


loop_queues_health_calls = Mutant(
    "loop_queues_health_calls",
    "sim.simulated.engines.fifo:WORKERS",
    "A health call of an event loop waits behind all requests that came before it.",
    {**WORKERS, "event_loop": WORKERS["serialized"]},
    ("engines_by_hand",),
)


@in_place_of("sim.simulated.nodes.backend:BackendProcess.predict_again", "engines_by_hand")
async def second_copy_takes_no_time(self: BackendProcess, request: Request) -> None:
    """A call that arrives twice is served once."""


@in_place_of("sim.simulated.nodes.backend:BackendProcess.health", "queues_by_hand")
async def health_call_outlives_its_process(self: BackendProcess) -> None:
    """A health call that waits in a process does not end with it."""
    if not self.speed.is_moving:
        await self.speed.moving()
    await self.engine.health()
