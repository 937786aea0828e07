import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.integrate import quad

from sim.measure.analysis import fairness

figures = st.lists(st.integers(0, 10**6), min_size=1, max_size=30).filter(any)

# E[J] of n requests thrown at random on k replicas: exact values from the generating function of the multinomial law,
# E[1/S] = int_0^inf E[e^(-tS)] dt, confirmed by Monte Carlo.
RANDOM_SPLIT = {
    (10, 2): 0.920033,
    (10, 4): 0.790261,
    (100, 4): 0.971398,
    (100, 8): 0.935674,
    (1000, 8): 0.993062,
}

# J = n^2 / (n^2 + r(k-r)) with r = n mod k.
ROUND_ROBIN = {(10, 4): 0.961538, (101, 8): 0.998532, (8, 8): 1.0}

# Two replicas, all on one; an even split; three to one, by the definitions.
BY_HAND = {
    "jain": {(4, 0): 0.5, (2, 2): 1.0, (3, 1): 0.8},
    "max_over_mean": {(4, 0): 2.0, (2, 2): 1.0, (3, 1): 1.5},
    "cv": {(4, 0): 1.0, (2, 2): 0.0, (3, 1): 0.5},
    "gini": {(4, 0): 0.5, (2, 2): 0.0, (3, 1): 0.25},
    "entropy": {(4, 0): 0.0, (2, 2): 1.0, (3, 1): 0.811278},
    "busiest_share": {(4, 0): 1.0, (2, 2): 0.5, (3, 1): 0.75},
}


@pytest.mark.parametrize("index", BY_HAND)
def test_each_index_has_the_value_of_its_definition(index: str) -> None:
    found = {split: getattr(fairness, index)(split) for split in BY_HAND[index]}

    assert found == pytest.approx(BY_HAND[index], abs=1e-6)


@pytest.mark.parametrize(("requests", "replicas"), RANDOM_SPLIT)
def test_the_noise_floor_of_jain_is_the_published_one(requests: int, replicas: int) -> None:
    mean = fairness.jain_of_random_split(requests, replicas)

    assert mean == pytest.approx(RANDOM_SPLIT[requests, replicas], abs=1e-6)


@pytest.mark.parametrize(("requests", "replicas"), [(1, 4), (2, 2), (3, 2), (4, 3), (5, 3), (3, 5)])
def test_the_noise_floor_of_jain_is_the_mean_over_every_way_to_throw(requests: int, replicas: int) -> None:
    throws = np.indices((replicas,) * requests).reshape(requests, -1).T
    every_way = [fairness.jain(np.bincount(throw, minlength=replicas)) for throw in throws]

    mean = fairness.jain_of_random_split(requests, replicas)

    assert mean == pytest.approx(float(np.mean(every_way)), abs=1e-9)


@pytest.mark.parametrize("requests", [2, 3, 10, 50, 200, 201, 1000, 10**6])
@pytest.mark.parametrize("replicas", [2, 3, 8, 64, 1000])
def test_the_noise_floor_is_the_integral_as_an_adaptive_rule_finds_it(requests: int, replicas: int) -> None:
    def mean_of_exp(s: float) -> float:
        if requests <= 200:
            return fairness._mean_of_exp(s, requests, replicas)
        return float(np.exp(-s) * (1 + 2 * s / requests) ** (-(replicas - 1) / 2))

    # Where a split has many replicas, the rule overlooks the mean near 0 unless it is told to look there.
    adaptive, _ = quad(mean_of_exp, 0, 50, points=(0.01, 0.1, 1), epsabs=1e-12, epsrel=1e-12, limit=200)

    assert fairness.jain_of_random_split(requests, replicas) == pytest.approx(adaptive, abs=1e-10)


@pytest.mark.parametrize("replicas", [2, 8, 64])
def test_the_noise_floor_does_not_jump_where_the_exact_form_gives_way(replicas: int) -> None:
    exact = fairness.jain_of_random_split(200, replicas)
    approximate = fairness.jain_of_random_split(201, replicas)

    assert exact < approximate < exact + 0.002


@given(st.integers(1, 150), st.integers(1, 40))
def test_the_noise_floor_keeps_above_the_bound_of_jensen(requests: int, replicas: int) -> None:
    mean = fairness.jain_of_random_split(requests, replicas)

    assert requests / (requests + replicas - 1) - 1e-9 <= mean <= 1 + 1e-9


@pytest.mark.parametrize(("requests", "replicas"), ROUND_ROBIN)
def test_round_robin_has_the_jain_index_of_its_remainder(requests: int, replicas: int) -> None:
    dealt = [len(range(first, requests, replicas)) for first in range(replicas)]

    assert fairness.jain(dealt) == pytest.approx(ROUND_ROBIN[requests, replicas], abs=1e-6)


@given(figures)
def test_every_index_keeps_within_its_bounds(x: list[int]) -> None:
    k, rounding = len(x), 1e-9

    assert 1 / k - rounding <= fairness.jain(x) <= 1 + rounding
    assert 1 - rounding <= fairness.max_over_mean(x) <= k + rounding
    assert -rounding <= fairness.cv(x) <= (k - 1) ** 0.5 + rounding
    assert 0 <= fairness.gini(x) <= (k - 1) / k + rounding
    assert 0 <= fairness.entropy(x) <= 1 + rounding
    assert 1 / k - rounding <= fairness.busiest_share(x) <= 1


@given(figures)
def test_jain_is_one_over_one_plus_the_squared_coefficient_of_variation(x: list[int]) -> None:
    assert fairness.jain(x) == pytest.approx(1 / (1 + fairness.cv(x) ** 2))


@given(figures)
def test_gini_is_the_mean_difference_of_all_pairs(x: list[int]) -> None:
    pairs = np.abs(np.subtract.outer(x, x)).sum()

    assert fairness.gini(x) == pytest.approx(pairs / (2 * len(x) ** 2 * np.mean(x)), abs=1e-9)


@given(figures, st.floats(1e-200, 1e200), st.randoms(use_true_random=False))
def test_no_index_depends_on_the_unit_or_on_the_order_of_replicas(x: list[int], unit: float, random) -> None:  # type: ignore[no-untyped-def]
    shuffled = [value * unit for value in x]
    random.shuffle(shuffled)

    for index in BY_HAND:
        assert getattr(fairness, index)(shuffled) == pytest.approx(getattr(fairness, index)(x), abs=1e-9)


@given(st.lists(st.integers(1, 100), min_size=2, max_size=8))
def test_work_moved_from_the_busiest_to_the_idlest_makes_the_split_fairer(x: list[int]) -> None:
    assume(max(x) - min(x) >= 2)
    moved = sorted(x)
    moved[0] += 1
    moved[-1] -= 1

    assert fairness.jain(moved) > fairness.jain(x)
    assert fairness.gini(moved) < fairness.gini(x)


@pytest.mark.parametrize(
    ("sequence", "length"), [([], 0), ([7], 1), ([1, 2, 1], 1), ([1, 2, 2, 2, 1, 1], 3), ([5, 5], 2)]
)
def test_the_longest_streak_is_the_longest_run_of_equal_neighbours(sequence: list[int], length: int) -> None:
    assert fairness.longest_streak(sequence) == length


@pytest.mark.parametrize("x", [[], [0, 0], [1, -1], [float("nan")], [[1, 2]]], ids=str)
def test_figures_that_are_no_split_are_refused(x: list[float]) -> None:
    with pytest.raises(ValueError, match="fairness needs"):
        fairness.jain(x)


@pytest.mark.parametrize(("requests", "replicas"), [(0, 2), (2, 0)])
def test_a_random_split_of_nothing_is_refused(requests: int, replicas: int) -> None:
    with pytest.raises(ValueError, match="a split needs requests and replicas"):
        fairness.jain_of_random_split(requests, replicas)
