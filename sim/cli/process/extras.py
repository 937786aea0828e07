"""Parts of the project that need packages which the plain install leaves out."""

from collections.abc import Iterator
from contextlib import contextmanager

from sim.cli.process.exits import BadInput


@contextmanager
def needing(extra: str) -> Iterator[None]:
    """Import the packages of an extra within the block. BadInput says how to install a missing one."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise BadInput(f"this needs the package {error.name}; install it with: pip install '.[{extra}]'") from None
