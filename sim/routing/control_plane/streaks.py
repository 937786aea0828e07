"""How often in a row something was found."""

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Streaks(Generic[Key]):
    """Counts, by key, in how many passes in a row something was found."""

    __slots__ = ("_lengths",)

    def __init__(self) -> None:
        self._lengths: dict[Key, int] = {}

    def keep_only(self, keys: Iterable[Key]) -> None:
        """End the streaks of all other keys."""
        self._lengths = {key: self._lengths[key] for key in keys if key in self._lengths}

    def length(self, key: Key) -> int:
        """Return how often in a row it was found by now."""
        return self._lengths.get(key, 0)

    def extend(self, key: Key) -> int:
        """Note that it was found once more, and return the new length."""
        length = self._lengths[key] = self.length(key) + 1
        return length

    def end(self, key: Key) -> None:
        """Note that it was not found."""
        self._lengths.pop(key, None)
