"""The small part of YAML that is read: what scalars mean, where things are, and that nothing else gets through."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim import loads
from sim.scenario import ScenarioError
from sim.scenario.text.source import MOST_DEPTH, read_bytes, resolve_plain
from tests.scenario.bad_scenarios import CLASSES
from tests.scenario.good_scenario import good_but

SCALARS: dict[str, Any] = {
    "": None,
    "null": None,
    "true": True,
    "false": False,
    "0": 0,
    "-7": -7,
    "+7": 7,
    "18446744073709551615": 2**64 - 1,
    "1.5": 1.5,
    "-0.5": -0.5,
    ".5": 0.5,
    "1e3": 1000.0,
    "2.5E-3": 0.0025,
    "~": "~",
    "True": "True",
    "yes": "yes",
    "no": "no",
    "on": "on",
    "010": "010",
    "0x10": "0x10",
    "0o10": "0o10",
    "1_000": "1_000",
    "1:30": "1:30",
    "2026-01-01": "2026-01-01",
    ".nan": ".nan",
    ".inf": ".inf",
    "1e999": "1e999",
    "-1.0e+999": "-1.0e+999",
    "9" * 21: "9" * 21,
    "1.": "1.",
    "e3": "e3",
    ".": ".",
    "-": "-",
    "٣": "٣",
}
VALID = good_but("variants: {a: {router: {profile: pinned}}, b: {}}", "expect: [{metric: fairness.jain, min: 0.5}]")
FRAGMENTS = [VALID, *(text.replace("§", "")[:300] for cases in CLASSES.values() for text, _ in cases.values())]


@pytest.mark.parametrize(("text", "expected"), SCALARS.items())
def test_an_unquoted_scalar_is_a_number_only_if_it_plainly_looks_like_one(text: str, expected: object) -> None:
    value = resolve_plain(text)

    assert (type(value), value) == (type(expected), expected)


def test_a_quoted_scalar_is_always_text() -> None:
    source = read_bytes(b"""{a: '1', b: "true", c: 'null', d: ''}""", "f")

    assert source.data == {"a": "1", "b": "true", "c": "null", "d": ""}


def test_the_place_of_every_key_and_value_is_known() -> None:
    source = read_bytes(b"name: x\nnodes:\n  - {slots: 1}\n", "f")

    assert source.keys == {("name",): (1, 1), ("nodes",): (2, 1), ("nodes", 0, "slots"): (3, 6)}
    assert source.values == {
        (): (1, 1),
        ("name",): (1, 7),
        ("nodes",): (3, 3),
        ("nodes", 0): (3, 5),
        ("nodes", 0, "slots"): (3, 13),
    }


def test_the_deepest_allowed_nesting_is_read() -> None:
    text = "[" * MOST_DEPTH + "]" * MOST_DEPTH

    value = read_bytes(text.encode(), "f").data

    for _ in range(MOST_DEPTH - 1):
        (value,) = value
    assert value == ()


def test_dashes_are_allowed_in_the_names_of_variants() -> None:
    file = loads(good_but("variants: {with-cache: {}, no-cache_2: {}}"))

    assert list(file.variants) == ["with-cache", "no-cache_2"]


def refusal_of(content: bytes) -> str:
    """Return the message with which a scenario is refused, or nothing; any other error comes through."""
    try:
        loads(content.decode("utf-8", "surrogateescape"))
    except ScenarioError as error:
        return str(error)
    return ""


def can_be_seen(message: str) -> bool:
    return message.replace("\n", "").isprintable()


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_scenario_or_a_scenario_error(content: bytes) -> None:
    assert can_be_seen(refusal_of(content))


@settings(deadline=None, max_examples=300)
@given(st.text(st.sampled_from("ab01 \n\t:-,[]{}&*!|>'\"%@`#?~<=\\."), max_size=60))
def test_any_text_of_yaml_signs_is_a_scenario_or_a_scenario_error(text: str) -> None:
    assert can_be_seen(refusal_of(text.encode()))


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(FRAGMENTS), st.sampled_from(FRAGMENTS), st.floats(0, 1), st.floats(0, 1))
def test_any_splice_of_two_files_is_a_scenario_or_a_scenario_error(
    first: str, second: str, upto: float, onwards: float
) -> None:
    text = first[: int(upto * len(first))] + second[int(onwards * len(second)) :]

    assert can_be_seen(refusal_of(text.encode("utf-8", "surrogatepass")))


@settings(deadline=None, max_examples=300)
@given(st.integers(0, len(VALID) - 1), st.characters(codec="utf-8"))
def test_any_one_character_changed_in_a_good_file_is_a_scenario_or_a_scenario_error(place: int, other: str) -> None:
    text = VALID[:place] + other + VALID[place + 1 :]

    assert can_be_seen(refusal_of(text.encode()))
