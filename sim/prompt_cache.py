"""What a backend process keeps of the prompts that it has read, so that it need not read their beginnings again."""

from collections import OrderedDict

from sim.routing.request import Chain


def rest_of(prefill_ns: int, chain: Chain, cached_blocks: int) -> int:
    """Return what is left of a prefill if so many of the chain's blocks are cached; the chain has a block at least."""
    return prefill_ns * (len(chain) - cached_blocks) // len(chain)


class PromptCache:
    """Keeps so many blocks of prompts at most; the least recently used go first.

    A block is of use only with all blocks before it, so a prompt's blocks are used from its end to its beginning: the
    end goes first. A cache that is too small for a prompt keeps its beginning.
    """

    __slots__ = ("_blocks", "_most_blocks")

    def __init__(self, most_blocks: int) -> None:
        self._most_blocks = most_blocks
        self._blocks: OrderedDict[int, None] = OrderedDict()
        """The least recently used first."""

    def clear(self) -> None:
        """Forget all blocks."""
        self._blocks.clear()

    def leading(self, chain: Chain) -> int:
        """Return how many blocks at the beginning of the chain are there."""
        return next((place for place, block in enumerate(chain) if block not in self._blocks), len(chain))

    def keep(self, chain: Chain) -> None:
        """Remember the chain's blocks, as used now."""
        for block in reversed(chain):
            self._blocks[block] = None
            self._blocks.move_to_end(block)
        while len(self._blocks) > self._most_blocks:
            self._blocks.popitem(last=False)
