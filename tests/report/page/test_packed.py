"""Columns in the page's text: what is packed is what is read."""

import zlib
from base64 import b64decode

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.measure.recording.records import Integers
from sim.report.page.packed import Packed, pack

COLUMNS = st.dictionaries(
    st.text("abc.", min_size=1, max_size=4), st.lists(st.integers(-(2**53), 2**53) | st.integers(-200, 200), max_size=9)
)


def unpacked(packed: Packed) -> dict[str, list[int]]:
    """Read the text as the page's script does, where a typed array has to begin at a multiple of its size."""
    content = zlib.decompress(b64decode(packed.text))
    columns = {}
    for name, kind, offset, length in packed.index:
        assert offset % np.dtype(kind).itemsize == 0
        columns[name] = [int(one) for one in np.frombuffer(content, np.dtype(kind).newbyteorder("<"), length, offset)]
    return columns


def column(*values: int) -> Integers:
    return np.array(values, dtype=np.int64)


@given(COLUMNS)
def test_every_column_comes_back(columns: dict[str, list[int]]) -> None:
    assert unpacked(pack({name: column(*values) for name, values in columns.items()})) == columns


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ((-128, 127), "int8"),
        ((-129, 0), "int16"),
        ((0, 2**15), "int32"),
        ((0, 2**31), "float64"),
        ((), "int8"),
    ],
)
def test_a_column_takes_the_narrowest_type_that_holds_it(values: tuple[int, ...], kind: str) -> None:
    [(_, found, _, _)] = pack({"c": column(*values)}).index

    assert found == kind


def test_a_number_that_javascript_would_round_is_refused() -> None:
    with pytest.raises(ValueError, match=r"column c has numbers from 0 to 9007199254740993; allowed: up to 2\^53"):
        pack({"c": column(0, 2**53 + 1)})
