"""Words of stories: every cause that the routing code gives has a sentence, and durations have the unit that fits."""

import re
from pathlib import Path

import pytest

import sim.routing
from sim.measure.recording.events import ADDED, EVICTED, TAKEN_AWAY
from sim.measure.story.words import cause_in_words, duration
from sim.routing.client_cache.failure_domain import UNLOADED

CODE = "\n".join(path.read_text(encoding="utf-8") for path in Path(sim.routing.__file__).parent.rglob("*.py"))
GIVEN = {
    # Of deleted rows, and of rows that are written.
    *re.findall(r'(?:row_removed|remove|remove_row)\([^)\n]*"([a-z_]+)"', CODE),
    *re.findall(r'load\([^)\n]*cause="([a-z_]+)"', CODE),
}


def test_the_causes_in_the_code_are_found() -> None:
    assert {"probe_failed", "monitor_misses", "not_in_process_table", "cold_load", EVICTED, TAKEN_AWAY, ADDED} <= GIVEN


@pytest.mark.parametrize("cause", sorted({*GIVEN, UNLOADED}))
def test_a_cause_is_told_in_words(cause: str) -> None:
    assert cause_in_words(cause).endswith(f" ({cause})")


def test_a_fault_that_deletes_a_row_stands_for_itself() -> None:
    assert cause_in_words("row_lost") == "row_lost"


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (0, "0 s"),
        (999, "999 ns"),
        (1_000, "1 us"),
        (2_500_000, "2.5 ms"),
        (433_407_670, "433.4 ms"),
        (27 * 10**9, "27 s"),
    ],
)
def test_a_duration_has_the_unit_that_fits_it(time_ns: int, text: str) -> None:
    assert duration(time_ns) == text
