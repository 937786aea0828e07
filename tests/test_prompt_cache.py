"""What a backend's cache of prompts keeps."""

import pytest

from sim.prompt_cache import PromptCache
from sim.routing.request import Chain

# id: (blocks that fit, prompts in turn, leading blocks of the last one that are there before it)
KEPT: dict[str, tuple[int, list[Chain], int]] = {
    "nothing at first": (9, [(1, 2)], 0),
    "a beginning": (9, [(1, 2, 3), (1, 2, 4)], 2),
    "all of it": (9, [(1, 2), (1, 2)], 2),
    "no end without its beginning": (9, [(1, 2, 3), (4, 2, 3)], 0),
    "the least recently used goes": (2, [(1,), (2,), (3,), (1,)], 0),
    "what is used again stays": (2, [(1,), (2,), (1,), (3,), (1,)], 1),
    "the end of a prompt goes first": (2, [(1, 2, 3), (1, 2, 3)], 2),
}


@pytest.mark.parametrize(("most_blocks", "prompts", "expected"), KEPT.values(), ids=KEPT)
def test_of_a_prompt_the_cache_has(most_blocks: int, prompts: list[Chain], expected: int) -> None:
    cache = PromptCache(most_blocks)
    for chain in prompts[:-1]:
        cache.keep(chain)

    assert cache.leading(prompts[-1]) == expected
