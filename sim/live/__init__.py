"""The real world: the routing code's ports on asyncio, a SQL registry and gRPC backends.

What a service of one's own needs is here by name: `from sim.live import Frontend`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.live.frontend import Completion, Frontend, NullJournal

__all__ = ["MISSING_EXTRA", "Completion", "Frontend", "NullJournal"]

MISSING_EXTRA = "running for real needs more packages: pip install 'llm-router-sim[live]'"


def __getattr__(name: str) -> Any:
    """Import on first use, because gRPC and the databases are an extra; ImportError says how to install it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module("sim.live.frontend"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "sim":
            raise
        raise ImportError(MISSING_EXTRA) from error
