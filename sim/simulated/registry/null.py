"""NULL where a table's column should hold a number."""

from typing import Self

SORTS_AS = 1 << 62
"""More than any number, so last where small goes first and first where large does; it fits into a record's 64 bits."""


class Null(int):
    """What a column without a value is to those who compare it, record it or add to it: it stays NULL.

    It keeps in mind what the number would be by now, for whoever has to know the truth.
    """

    instead_of: int

    def __new__(cls, instead_of: int) -> Self:
        """Take the place of this number."""
        null = super().__new__(cls, SORTS_AS)
        null.instead_of = instead_of
        return null

    def __add__(self, number: int, /) -> "Null":
        """Stay NULL."""
        return Null(self.instead_of + number)

    def __sub__(self, number: int, /) -> "Null":
        """Stay NULL."""
        return Null(self.instead_of - number)


def known(number: int) -> int:
    """Return the number, or what would stand there if it were not NULL."""
    return number.instead_of if isinstance(number, Null) else number
