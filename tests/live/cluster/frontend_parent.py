"""A process that has a frontend which never gets ready: `python -m tests.live.cluster.frontend_parent`."""

import sys
import time
from dataclasses import dataclass
from multiprocessing import active_children
from typing import Any, cast

from sim.live.cluster.frontend_handle import FrontendHandle
from sim.live.cluster.frontend_process import FrontendOrder
from tests.waiting import LIMIT_S


@dataclass
class EndlessToRead:
    """An order that takes longer to read than any test: it stands for imports on a busy machine."""

    index: int = 0

    def __reduce__(self) -> tuple[Any, ...]:
        """Have the reader sleep."""
        return time.sleep, (10 * LIMIT_S,)


if __name__ == "__main__":
    FrontendHandle(cast(FrontendOrder, EndlessToRead()))
    print(*(child.pid for child in active_children()), flush=True)
    sys.stdin.read()
