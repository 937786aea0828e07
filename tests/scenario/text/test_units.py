"""Quantities with units: what they are worth, and that writing and reading them are inverse."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.scenario.text.units import (
    FASTEST_PER_S,
    LARGEST_BYTES,
    LONGEST_NS,
    SLOWEST_PER_S,
    format_duration,
    format_rate,
    format_size,
    parse_duration_ns,
    parse_rate_per_s,
    parse_size_bytes,
)

DURATIONS_NS = {
    "0s": 0,
    "5ns": 5,
    "100us": 100_000,
    "2ms": 2_000_000,
    "250ms": 250_000_000,
    "1.5s": 1_500_000_000,
    "30s": 30_000_000_000,
    "5m": 300_000_000_000,
    "0.1m": 6_000_000_000,
    "1h": 3_600_000_000_000,
    "2400h": LONGEST_NS,
}
SIZES_BYTES = {"0B": 0, "1kB": 1000, "1KiB": 1024, "512MB": 512 * 10**6, "8GiB": 2**33, "24GB": 24 * 10**9}
RATES_PER_S = {"4/s": 4.0, "30/m": 0.5, "10/h": 10 / 3600, "3782.76/s": 3782.76, "0.25/s": 0.25}
SHORTEST = {
    0: "0s",
    1: "1ns",
    1500: "1.5us",
    10**9: "1s",
    60 * 10**9: "1m",
    90 * 10**9: "90s",
    10**9 + 1: "1000000001ns",
}


@pytest.mark.parametrize(("text", "expected_ns"), DURATIONS_NS.items())
def test_a_duration_is_read_as_whole_nanoseconds(text: str, expected_ns: int) -> None:
    assert parse_duration_ns(text) == expected_ns


@pytest.mark.parametrize(("text", "expected_bytes"), SIZES_BYTES.items())
def test_a_size_is_read_as_whole_bytes(text: str, expected_bytes: int) -> None:
    assert parse_size_bytes(text) == expected_bytes


@pytest.mark.parametrize(("text", "expected_per_s"), RATES_PER_S.items())
def test_a_rate_is_read_per_second(text: str, expected_per_s: float) -> None:
    assert parse_rate_per_s(text) == expected_per_s


@pytest.mark.parametrize(("duration_ns", "text"), SHORTEST.items())
def test_a_duration_is_written_as_the_shortest_exact_text(duration_ns: int, text: str) -> None:
    assert format_duration(duration_ns) == text


@pytest.mark.parametrize("parse", [parse_duration_ns, parse_size_bytes, parse_rate_per_s])
@pytest.mark.parametrize(
    "written",
    [30, 1.5, "30", "", "s", "-1s", "1e3s", ".5s", "1.s", "٣s", "30x", "30s\n", None, True, {}],
)
def test_anything_but_a_number_with_its_unit_is_refused(parse: Callable[[object], float], written: object) -> None:
    with pytest.raises(ValueError, match=r"; write \S+, \S+ or \S+$"):
        parse(written)


@pytest.mark.parametrize("written", [" 30s", "30 s", "3 0s"])
def test_a_space_is_refused_with_the_text_as_it_should_be(written: str) -> None:
    with pytest.raises(ValueError, match=r"has a space in it; write 30s$"):
        parse_duration_ns(written)


@pytest.mark.parametrize(
    ("parse", "written", "ours"),
    [
        (parse_duration_ns, "5min", "5m"),
        (parse_duration_ns, "1.5 Hours", "1.5h"),
        (parse_duration_ns, "5M", "5m"),
        (parse_duration_ns, "1m30s", "90s"),
        (parse_duration_ns, "1h0m500ms", "3600.5s"),
        (parse_size_bytes, "128gb", "128GB"),
        (parse_size_bytes, "128G", "128GB"),
        (parse_size_bytes, "8 Gi", "8GiB"),
        (parse_rate_per_s, "54/min", "54/m"),
        (parse_rate_per_s, "0.9rps", "0.9/s"),
    ],
)
def test_a_unit_from_elsewhere_is_refused_with_ours(parse: Callable[[object], float], written: str, ours: str) -> None:
    with pytest.raises(ValueError, match=rf"; write {ours}$"):
        parse(written)

    assert parse(ours) > 0


@settings(deadline=None)
@given(st.integers(0, LONGEST_NS))
def test_a_written_duration_reads_back_the_same(duration_ns: int) -> None:
    assert parse_duration_ns(format_duration(duration_ns)) == duration_ns


@settings(deadline=None)
@given(st.integers(0, LARGEST_BYTES))
def test_a_written_size_reads_back_the_same(size_bytes: int) -> None:
    assert parse_size_bytes(format_size(size_bytes)) == size_bytes


@settings(deadline=None)
@given(st.floats(SLOWEST_PER_S, FASTEST_PER_S))
def test_a_written_rate_reads_back_the_same(per_s: float) -> None:
    assert parse_rate_per_s(format_rate(per_s)) == per_s
