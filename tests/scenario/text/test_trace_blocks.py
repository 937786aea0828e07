"""How a trace writes the blocks of its prompts."""

from pathlib import Path

import numpy as np
import pytest

from sim.routing.request import Chain
from sim.scenario.text.trace_blocks import MOST_BLOCKS, read_blocks
from sim.scenario.text.trace_file import BadTrace, TraceColumns, read_trace

WRITTEN: dict[str, tuple[str, Chain | None]] = {
    "none": ("", ()),
    "one": ("7", (7,)),
    "a range with both ends": ("3-5", (3, 4, 5)),
    "numbers and ranges": ("0 14-15 9", (0, 14, 15, 9)),
    "a range of one": ("4-4", (4,)),
    "a range that goes down": ("5-3", None),
    "an open range": ("3-", None),
    "a negative number": ("-3", None),
    "a word": ("all", None),
    "a fraction": ("1.5", None),
    "other digits": ("\u0661", None),
    "a number that is too long": ("1" * 13, None),
    "as many as there may be": (f"1-{MOST_BLOCKS}", tuple(range(1, MOST_BLOCKS + 1))),
    "one too many": (f"0 1-{MOST_BLOCKS}", None),
}


@pytest.mark.parametrize(("text", "expected"), WRITTEN.values(), ids=WRITTEN)
def test_the_blocks_of_a_prompt_are_numbers_and_ranges(text: str, expected: Chain | None) -> None:
    assert read_blocks([text]) == (None if expected is None else [expected])


def trace(folder: Path, *rows: str) -> Path:
    path = folder / "trace.csv"
    path.write_text("\n".join(["t,in,out,blocks", *rows, ""]))
    return path


def test_a_trace_has_the_blocks_of_each_prompt_if_they_are_asked_for(tmp_path: Path) -> None:
    path = trace(tmp_path, "0,5,6,0-1", "1,7,8,0 2")

    read, unread = (read_trace(path, TraceColumns("t", "in", "out", blocks)) for blocks in ("blocks", None))

    assert read.chains == ((0, 1), (0, 2))
    assert unread.chains == ()
    assert np.array_equal(read.prompt_tokens, unread.prompt_tokens)


def test_blocks_that_are_none_are_reported_with_their_row(tmp_path: Path) -> None:
    path = trace(tmp_path, "0,5,6,0-1", "1,7,8,many")

    with pytest.raises(BadTrace) as caught:
        read_trace(path, TraceColumns("t", "in", "out", "blocks"))

    assert caught.value.texts == (
        "trace.csv:3: column 'blocks': found 'many'; allowed: numbers and ranges up to 10^12, as in '0 14-27'",
    )
