"""Quantities as people write them (`30s`, `24GB`, `4/s`), to numbers in one unit each, and back again.

Inside the program time is whole nanoseconds, memory is whole bytes and a rate is per second. A bare number is
refused rather than guessed at.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from string import ascii_letters
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from sim.routing.units import NS_PER_S
from sim.scenario.text.errors import found

DURATION_UNITS: Mapping[str, int] = {
    "h": 3600 * NS_PER_S,
    "m": 60 * NS_PER_S,
    "s": NS_PER_S,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
SIZE_UNITS: Mapping[str, int] = {
    "TB": 10**12,
    "GB": 10**9,
    "MB": 10**6,
    "kB": 10**3,
    "TiB": 2**40,
    "GiB": 2**30,
    "MiB": 2**20,
    "KiB": 2**10,
    "B": 1,
}
RATE_UNITS_S: Mapping[str, int] = {"s": 1, "m": 60, "h": 3600}

# 100 days. Below 2^53 ns, so a float holds every instant of a run exactly.
LONGEST_NS = 2400 * DURATION_UNITS["h"]
LARGEST_BYTES = 1000 * SIZE_UNITS["TB"]
SLOWEST_PER_S, FASTEST_PER_S = 1e-9, 1e9

# How people write units elsewhere. They are named in messages and not accepted: a file has one spelling.
_DURATIONS_ELSEWHERE: Mapping[str, str] = {
    **{unit: unit for unit in DURATION_UNITS},  # In capitals.
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("msec", "msecs", "millis", "milliseconds"), "ms"),
}
_SIZES_ELSEWHERE: Mapping[str, str] = {
    **{unit.lower(): unit for unit in SIZE_UNITS},
    **{unit[:-1].lower(): unit for unit in SIZE_UNITS if len(unit) > 1},
}
_RATES_ELSEWHERE: Mapping[str, str] = {
    **{f"/{long}": f"/{unit}" for long, unit in _DURATIONS_ELSEWHERE.items() if unit in RATE_UNITS_S},
    **dict.fromkeys(("rps", "qps", "hz", "req/s", "requests/s"), "/s"),
}

_NUMBER = r"[0-9]{1,18}(?:\.[0-9]{1,27})?"
DURATION_PATTERN = rf"^{_NUMBER}(?:{'|'.join(DURATION_UNITS)})$"
SIZE_PATTERN = rf"^{_NUMBER}(?:{'|'.join(SIZE_UNITS)})$"
RATE_PATTERN = rf"^{_NUMBER}/(?:{'|'.join(RATE_UNITS_S)})$"
SEEDS_PATTERN = r"^[1-9][0-9]{0,4} seeds$"
MOST_SEEDS = 10_000
"""Of one scenario, in one command."""

_DURATION_REMEDY = "write 30s, 500ms or 5m"
_SIZE_REMEDY = "write 24GB, 8GiB or 512MB"
_RATE_REMEDY = "write 4/s, 30/m or 10/h"


def parse_duration_ns(written: object) -> int:
    """Return a duration such as `250ms`, `1.5s` or `5m` in nanoseconds; ValueError says what to write instead."""
    number, unit = _split(written, DURATION_PATTERN, "duration", _DURATION_REMEDY, _DURATIONS_ELSEWHERE)
    exact = number * DURATION_UNITS[unit]
    if exact.denominator != 1:
        raise ValueError(f"{found(written)} is not a whole number of nanoseconds; write fewer decimals")
    if exact > LONGEST_NS:
        raise ValueError(f"{found(written)} is too long; allowed: up to {format_duration(LONGEST_NS)}")
    return int(exact)


def parse_size_bytes(written: object) -> int:
    """Return a size such as `24GB` (powers of ten) or `8GiB` (powers of two) in bytes; ValueError if it is none."""
    number, unit = _split(written, SIZE_PATTERN, "size", _SIZE_REMEDY, _SIZES_ELSEWHERE)
    exact = number * SIZE_UNITS[unit]
    if exact.denominator != 1:
        raise ValueError(f"{found(written)} is not a whole number of bytes; write fewer decimals")
    if exact > LARGEST_BYTES:
        raise ValueError(f"{found(written)} is too large; allowed: up to {format_size(LARGEST_BYTES)}")
    return int(exact)


def parse_rate_per_s(written: object) -> float:
    """Return a rate such as `4/s` or `30/m` per second; ValueError if it is none, or not above zero."""
    number, unit = _split(written, RATE_PATTERN, "rate", _RATE_REMEDY, _RATES_ELSEWHERE)
    per_s = float(number / RATE_UNITS_S[unit])
    if not SLOWEST_PER_S <= per_s <= FASTEST_PER_S:
        least, most = format_rate(SLOWEST_PER_S), format_rate(FASTEST_PER_S)
        raise ValueError(f"{found(written)} is out of range; allowed: from {least} to {most}")
    return per_s


def parse_seeds(written: object) -> int:
    """Return how many seeds a text such as `20 seeds` asks for; ValueError if it is none, or if one has no spread."""
    if not re.fullmatch(SEEDS_PATTERN, str(written)):
        raise ValueError(f"{found(written)} is not a number of seeds; write 20 seeds")
    count = int(str(written).removesuffix(" seeds"))
    if not 2 <= count <= MOST_SEEDS:
        raise ValueError(f"{found(written)} is out of range; allowed: from 2 seeds to {MOST_SEEDS} seeds")
    return count


def format_seeds(count: int) -> str:
    """Return the text that `parse_seeds` reads back to the same number."""
    return f"{count} seeds"


def format_duration(duration_ns: int) -> str:
    """Return the shortest exact text that `parse_duration_ns` reads back to the same number."""
    return _shortest(duration_ns, DURATION_UNITS) if duration_ns else "0s"


def format_size(size_bytes: int) -> str:
    """Return the shortest exact text that `parse_size_bytes` reads back to the same number."""
    return _shortest(size_bytes, SIZE_UNITS) if size_bytes else "0B"


def format_rate(per_s: float) -> str:
    """Return text per second that `parse_rate_per_s` reads back to the same float."""
    digits = format(Decimal(repr(per_s)), "f")
    return f"{digits.removesuffix('.0')}/s"


def _split(written: object, pattern: str, what: str, remedy: str, elsewhere: Mapping[str, str]) -> tuple[Fraction, str]:
    text = str(written)
    if not re.fullmatch(pattern, text):
        joined = text.replace(" ", "")
        if re.fullmatch(pattern, joined):
            raise ValueError(f"{found(written)} has a space in it; write {joined}")
        if re.fullmatch(_NUMBER, text):
            raise ValueError(f"{found(written)} has no unit; {remedy}")
        raise ValueError(f"{found(written)} is not a {what}; {_in_our_units(joined, elsewhere) or remedy}")
    digits = text.rstrip(ascii_letters + "/")
    return Fraction(digits), text[len(digits) :].removeprefix("/")


def _in_our_units(joined: str, elsewhere: Mapping[str, str]) -> str:
    """Return how to write an amount in a unit from elsewhere, or `1m30s` in one unit; nothing if it is neither."""
    if (match := re.fullmatch(rf"({_NUMBER})([a-zA-Z/]+)", joined)) and match[2].lower() in elsewhere:
        return f"write {match[1]}{elsewhere[match[2].lower()]}"
    parts = rf"({_NUMBER})({'|'.join(sorted(DURATION_UNITS, key=len, reverse=True))})"  # ms is not m and s.
    if elsewhere is _DURATIONS_ELSEWHERE and re.fullmatch(rf"(?:{parts})+", joined):
        total = sum(Fraction(number) * DURATION_UNITS[unit] for number, unit in re.findall(parts, joined))
        return f"write {format_duration(int(total))}"
    return ""


def _shortest(amount: int, units: Mapping[str, int]) -> str:
    texts = [f"{digits}{unit}" for unit, factor in units.items() if (digits := _decimal(amount, factor))]
    return min(texts, key=lambda text: (len(text), "." in text))


def _decimal(amount: int, factor: int) -> str:
    """Return amount / factor as decimal digits, or nothing if twelve decimals do not hold it exactly."""
    whole, rest = divmod(amount, factor)
    decimals, inexact = divmod(rest * 10**12, factor)
    if inexact:
        return ""
    return f"{whole}.{decimals:012d}".rstrip("0").rstrip(".")


def _type_of(parse: Callable[[object], Any], write: Callable[[Any], str], pattern: str, examples: str) -> Any:
    return (
        BeforeValidator(parse),
        PlainSerializer(write, return_type=str),
        WithJsonSchema({"type": "string", "pattern": pattern, "examples": examples.split(", ")}),
    )


Duration = Annotated[int, *_type_of(parse_duration_ns, format_duration, DURATION_PATTERN, "250ms, 30s, 5m")]
"""Nanoseconds in the program, `30s` in the file."""
Size = Annotated[int, *_type_of(parse_size_bytes, format_size, SIZE_PATTERN, "24GB, 8GiB, 512MB")]
"""Bytes in the program, `24GB` in the file."""
Rate = Annotated[float, *_type_of(parse_rate_per_s, format_rate, RATE_PATTERN, "4/s, 30/m, 10/h")]
"""Per second in the program, `4/s` in the file."""
Seeds = Annotated[int, *_type_of(parse_seeds, format_seeds, SEEDS_PATTERN, "20 seeds, 100 seeds")]
"""A number of seeds, `20 seeds` in the file."""
