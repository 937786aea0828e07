"""How a trace writes the blocks of a prompt: whole numbers, and ranges of them with both ends, as in `0 14-27`."""

import re
from collections.abc import Sequence

from sim.routing.request import Chain

MOST_BLOCKS = 100_000
"""Of one prompt."""
ALLOWED = "numbers and ranges up to 10^12, as in '0 14-27'"

_PART = re.compile(r"([0-9]{1,12})(?:-([0-9]{1,12}))?", re.ASCII)


def read_blocks(texts: Sequence[str]) -> list[Chain] | None:
    """Return the blocks of each prompt; None if one of the texts does not tell them."""
    chains = [_chain(text) for text in texts]
    known = [chain for chain in chains if chain is not None]
    return known if len(known) == len(chains) else None


def _chain(text: str) -> Chain | None:
    blocks: list[int] = []
    for part in text.split():
        written = _PART.fullmatch(part)
        if written is None:
            return None
        first, last = int(written[1]), int(written[2] or written[1])
        if not first <= last < first + MOST_BLOCKS - len(blocks):
            return None
        blocks.extend(range(first, last + 1))
    return tuple(blocks)
