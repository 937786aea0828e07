"""What a process puts in order before a signal ends it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_clean_ups: list[Callable[[], object]] = []


@contextmanager
def cleaned_up_by(clean_up: Callable[[], object]) -> Iterator[None]:
    """While the block runs, a signal that ends the process calls `clean_up` first."""
    _clean_ups.append(clean_up)
    try:
        yield
    finally:
        _clean_ups.remove(clean_up)


def clean_up_all() -> None:
    """Do what the blocks at work have registered, the latest first, whatever fails; a signal's handler calls it."""
    for clean_up in reversed(_clean_ups):
        with suppress(Exception):
            clean_up()
