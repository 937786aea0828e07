"""A mutant stands in its place for the length of a block, and each one that is shipped fits there."""

import re
from collections.abc import Callable
from importlib import import_module
from inspect import isfunction, signature
from pathlib import Path
from typing import Any

import pytest

from sim.routing.policies.best_replica import ChooseBest, pick_best_replica
from sim.routing.request_path.probe_cache import ProbeCache
from sim.testing.mutants.catalogue import AREAS, MUTANTS
from sim.testing.mutants.mutant import Mutant, NoSuchPlace, applied, in_place_of

SCENARIOS = Path(__file__).resolve().parents[3] / "scenarios"


@in_place_of("sim.routing.request_path.probe_cache:ProbeCache.invalidate", "probes_by_hand")
def forgets_nothing(self: ProbeCache, key: str) -> None:
    """The cache keeps what it should forget."""


def test_a_mutant_takes_its_name_and_its_sentence_from_the_function() -> None:
    assert (forgets_nothing.name, forgets_nothing.slip) == ("forgets_nothing", "The cache keeps what it should forget.")
    assert forgets_nothing.seen_in == ("probes_by_hand",)


def test_a_method_is_wrong_within_the_block_and_right_again_after_it() -> None:
    right = vars(ProbeCache)["invalidate"]

    with applied(forgets_nothing):
        assert vars(ProbeCache)["invalidate"] is forgets_nothing.replacement

    assert vars(ProbeCache)["invalidate"] is right


def test_a_static_method_stays_static() -> None:
    with applied(
        Mutant("picks_nothing", "sim.routing.policies.best_replica:ChooseBest.__call__", "", lambda _rows: None)
    ):
        assert ChooseBest()([]) is None
    assert vars(ChooseBest)["__call__"].__func__ is pick_best_replica


def test_a_name_is_replaced_in_the_module_that_uses_it() -> None:
    place = "sim.routing.loading.job_load:ORPHAN_NS"
    module = import_module("sim.routing.loading.job_load")
    right = module.ORPHAN_NS

    with applied(Mutant("orphans_at_once", place, "", 0)):
        assert module.ORPHAN_NS == 0
    assert right == module.ORPHAN_NS


def test_what_fails_within_the_block_does_not_leave_the_mutant_behind() -> None:
    right = vars(ProbeCache)["invalidate"]

    with pytest.raises(ZeroDivisionError), applied(forgets_nothing):
        raise ZeroDivisionError

    assert vars(ProbeCache)["invalidate"] is right


@pytest.mark.parametrize(
    "place",
    [
        "sim.routing.no_such_module:ProbeCache.invalidate",
        "sim.routing.request_path.probe_cache:NoSuchClass.invalidate",
        "sim.routing.request_path.probe_cache:ProbeCache.no_such_method",
        "sim.routing.request_path.probe_cache:NO_SUCH_NAME",
        "sim.routing.policies.best_replica:BestReplica.listener",  # inherited: it stands elsewhere
    ],
)
def test_a_place_that_does_not_exist_is_an_error(place: str) -> None:
    with (
        pytest.raises(NoSuchPlace, match=f"mutant lost: there is no {place}"),
        applied(Mutant("lost", place, "", None)),
    ):
        pass


def test_there_are_at_least_sixty_and_no_two_of_one_name() -> None:
    assert len(MUTANTS) >= 60
    assert len(MUTANTS) == sum(map(len, AREAS.values()))


def test_what_a_mutant_replaces_is_there_and_is_called_in_the_same_way() -> None:
    for mutant in MUTANTS.values():
        right = _standing_at(mutant.place)
        with applied(mutant):
            pass
        assert right is not mutant.replacement
        if isfunction(right) and isfunction(mutant.replacement):
            assert _arguments(mutant.replacement) == _arguments(right), mutant.name


def test_a_mutant_says_in_a_sentence_what_is_wrong() -> None:
    assert [mutant.name for mutant in MUTANTS.values() if not re.fullmatch(r"[^\n]{10,140}\.", mutant.slip)] == []


def test_the_scenarios_that_should_notice_a_mutant_exist() -> None:
    scenarios = set(map(_name_in, SCENARIOS.rglob("*.yaml")))

    assert {name for mutant in MUTANTS.values() for name in mutant.seen_in} <= scenarios


def _standing_at(place: str) -> Any:
    module, _, path = place.partition(":")
    found: Any = import_module(module)
    for name in path.split("."):
        found = vars(found)[name]
    return found.__func__ if isinstance(found, staticmethod) else found


def _arguments(function: Callable[..., Any]) -> int:
    return len(signature(function).parameters)


def _name_in(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(line.removeprefix("name: ") for line in lines if line.startswith("name: "))
