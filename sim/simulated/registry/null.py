"""NULL where a table's column should hold a number."""

from typing import Self

from sim.routing.replica import NULL


class Null(int):
    """The value of a column that is NULL. It can be compared, recorded and added to, and stays NULL.

    It keeps the number that would stand there, for those who need the truth.
    """

    instead_of: int

    def __new__(cls, instead_of: int) -> Self:
        """Stand for this number."""
        null = super().__new__(cls, NULL)
        null.instead_of = instead_of
        return null

    def __add__(self, number: int, /) -> "Null":
        return Null(self.instead_of + number)

    def __sub__(self, number: int, /) -> "Null":
        return Null(self.instead_of - number)


def known(number: int) -> int:
    """Return the number, or what would stand there if it were not NULL."""
    return number.instead_of if isinstance(number, Null) else number
