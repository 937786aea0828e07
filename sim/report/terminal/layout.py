"""How many variants fit side by side, and how wide each column of a table is. Widths are in characters."""

from collections.abc import Sequence
from dataclasses import dataclass

GAP = 2
"""Between two columns of a table."""
_NARROWEST, _WIDEST = 10, 35
"""Of a column: a bar of 5 characters or 30, and its percentage."""
_LONGEST_NAME = 16
"""A variant's name is folded if it is longer than this and wider than its figures."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Widths of the labels and of each column. Each group of columns is one table."""

    labels: int
    groups: Sequence[Sequence[int]]

    @property
    def narrowest(self) -> int:
        """Width of the narrowest column of all."""
        return min(width for group in self.groups for width in group)


def lay_out(room: int, labels: Sequence[str], names: Sequence[str], figures: Sequence[int]) -> Layout:
    """Return a layout of columns with these names and widest figures, in the order given.

    Labels are folded if they and the widest column do not fit into the room together, but never to less than half.
    """
    needed = [max(_NARROWEST, width, min(len(name), _LONGEST_NAME)) for name, width in zip(names, figures, strict=True)]
    for_labels = min(max(map(len, labels), default=0), max(room // 2, room - GAP - max(needed)))
    groups: list[list[int]] = []
    left = 0
    for width in needed:
        if not groups or left < GAP + width:
            groups.append([])
            left = room - for_labels
        groups[-1].append(width)
        left -= GAP + width
    return Layout(for_labels, [_stretched(group, room - for_labels) for group in groups])


def _stretched(widths: Sequence[int], room: int) -> list[int]:
    """Widen the columns evenly, so that bars are as long as the room allows."""
    spare = max(0, room - sum(GAP + width for width in widths)) // len(widths)
    return [max(width, min(width + spare, _WIDEST)) for width in widths]
