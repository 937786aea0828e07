"""Columns of whole numbers as text that a page can hold, and that its script reads without a loop over rows."""

import zlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.measure.recording.records import Integers

_INTEGERS = ("int8", "int16", "int32")


@dataclass(frozen=True, slots=True)
class Packed:
    """Columns one behind the other, deflated (RFC 1950) and in base64."""

    index: list[tuple[str, str, int, int]]
    """Of each column its name, type, offset in bytes and length; an offset is a multiple of the type's size."""
    text: str


def pack(columns: Mapping[str, Integers]) -> Packed:
    """Pack the columns, each in the narrowest type that holds it; beyond 32 bits that is a little-endian float64.

    Raises ValueError for a number beyond 2^53, which JavaScript would round.
    """
    typed = {name: _narrowed(name, column) for name, column in columns.items()}
    # The widest come first, so that each column begins where a typed array may.
    in_order = sorted(typed.items(), key=lambda entry: -entry[1].itemsize)
    index, offset = [], 0
    for name, column in in_order:
        index.append((name, column.dtype.name, offset, len(column)))
        offset += column.nbytes
    content = b"".join(column.tobytes() for _, column in in_order)
    return Packed(index, b64encode(zlib.compress(content)).decode("ascii"))


def _narrowed(name: str, column: Integers) -> npt.NDArray[np.generic]:
    low, high = (int(column.min()), int(column.max())) if len(column) else (0, 0)
    for kind in _INTEGERS:
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            return column.astype(np.dtype(kind).newbyteorder("<"))
    if max(-low, high) > 2**53:
        raise ValueError(f"column {name} has numbers from {low} to {high}; allowed: up to 2^53")
    return column.astype("<f8")
