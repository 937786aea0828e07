"""Random streams by name."""

from itertools import pairwise
from typing import Any

import pytest

from sim.scenario import stream

BASE = (1, "workload", "0", "arrivals")
OTHERS = {
    "another seed": (2, "workload", "0", "arrivals"),
    "another role": (1, "user", "0", "arrivals"),
    "another entity": (1, "workload", "1", "arrivals"),
    "another purpose": (1, "workload", "0", "demand"),
    "letters moved from one name to the next": (1, "workload0", "", "arrivals"),
    "names exchanged": (1, "0", "workload", "arrivals"),
    "seed plus 2^32": (1 + 2**32, "workload", "0", "arrivals"),
}


def numbers(names: tuple[int, str, str, str]) -> list[int]:
    drawn: list[int] = stream(*names).integers(0, 2**62, size=4).tolist()
    return drawn


def test_the_same_names_give_the_same_numbers() -> None:
    assert numbers(BASE) == numbers(BASE)


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_any_other_name_gives_other_numbers(other: tuple[int, str, str, str]) -> None:
    assert not set(numbers(BASE)) & set(numbers(other))


def test_streams_do_not_depend_on_those_made_before() -> None:
    alone = numbers(BASE)

    for other in OTHERS.values():
        numbers(other)

    assert numbers(BASE) == alone


def test_small_seeds_are_different_streams() -> None:
    first = [numbers((seed, "", "", ""))[0] for seed in range(100)]

    assert all(one != other for one, other in pairwise(sorted(first)))


@pytest.mark.parametrize("seed", [-1, 2**64, True, None, 1.0, "1", [0]])
def test_anything_but_a_whole_number_of_64_bits_is_no_seed(seed: Any) -> None:
    with pytest.raises(ValueError, match="a seed is a whole number from 0 to 18446744073709551615"):
        stream(seed, "", "", "")
