"""Policies that a scenario names: where they are found, what is refused, and with which words."""

import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

from sim import load, loads
from sim.programs.at_work import Programs
from sim.routing.policies.port import PolicyContext, PolicyError
from sim.routing.request import Request
from sim.scenario import ScenarioError, ScenarioFile, dump
from sim.scenario.policies.making import policy_of
from sim.scenario.spec.policy import PolicySpec
from tests.hand_clock import HandClock
from tests.scenario.good_scenario import good_but

PICKERS = """
from dataclasses import dataclass

calls = []

def first(replicas):
    calls.append(1)
    return replicas[0] if len(calls) == 1 else None

@dataclass(frozen=True)
class Choices:
    d: int = 2

class PowerOfD:
    parameters = Choices

    def __init__(self, context):
        self.context = context

    def pick(self, replicas, request):
        return None

number = 3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "my_picker.py").write_text(PICKERS)
    return tmp_path


def scenario(policy: str) -> str:
    return good_but(f"router: {{policy: {policy}}}")


def read(folder: Path, policy: str, **options: Any) -> ScenarioFile:
    path = folder / "scenario.yaml"
    path.write_text(scenario(policy))
    return load(path, **{"allow_code": True, **options})


def policy(file: ScenarioFile) -> PolicySpec:
    return next(iter(file.variants.values())).router.policy


def test_a_scenario_that_names_none_has_the_best_replica() -> None:
    assert policy(loads(good_but(""))).name == "best_replica"


def test_a_file_is_found_beside_the_scenario(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")

    found = policy(read(folder, "./my_picker.py:first"))

    assert (found.name, found.folder) == ("./my_picker.py:first", folder)
    assert found.place.startswith(f"{folder}/scenario.yaml:")


def test_a_file_is_run_afresh_for_each_frontend_so_that_its_globals_are_not_shared(folder: Path) -> None:
    spec = policy(read(folder, "./my_picker.py:first"))

    for frontend in range(2):
        picker = policy_of(spec, 0, frontend, Programs())(HandClock())
        with pytest.raises(PolicyError, match="tuple index out of range"):
            picker.choice(REQUEST, ())(())
        assert picker.choice(REQUEST, ())(()) is None


def test_two_files_with_the_same_stem_do_not_collide(folder: Path) -> None:
    (folder / "other").mkdir()
    (folder / "other" / "my_picker.py").write_text("def first(replicas): return None")
    specs = [policy(read(folder, name)) for name in ("./my_picker.py:first", "./other/my_picker.py:first")]

    one, other = (policy_of(spec, 0, 0, Programs())(HandClock()) for spec in specs)

    assert other.choice(REQUEST, ())(()) is None
    with pytest.raises(PolicyError):
        one.choice(REQUEST, ())(())


def test_nothing_is_written_beside_a_file_that_is_run(folder: Path) -> None:
    read(folder, "./my_picker.py:first")

    assert sorted(path.name for path in folder.iterdir()) == ["my_picker.py", "scenario.yaml"]


def test_a_module_is_imported_by_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "my_picker", raising=False)

    assert policy(read(folder, "my_picker:first")).name == "my_picker:first"


def test_a_package_offers_a_policy_that_needs_no_flag(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = folder / "theirs-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[sim.policies]\ntheirs = my_picker:first\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "my_picker", raising=False)

    assert policy(read(folder, "theirs", allow_code=False)).name == "theirs"
    with pytest.raises(
        ScenarioError, match=r"found 'thers'; allowed: best_replica, .* theirs, .* did you mean 'theirs'"
    ):
        read(folder, "thers")


def test_what_a_policy_draws_belongs_to_seed_and_frontend() -> None:
    def first_draw(seed: int, frontend: int) -> Any:
        drawn: list[float] = []

        class Draws:
            def __init__(self, context: PolicyContext) -> None:
                drawn.append(context.random.random())

            def pick(self, replicas: Any) -> Any: ...

        policy_of(PolicySpec("mine", given=Draws), seed, frontend, Programs())(HandClock())
        return drawn

    assert first_draw(1, 0) == first_draw(1, 0) == [0.6902905189764046]
    assert len({tuple(first_draw(seed, frontend)) for seed in (1, 2) for frontend in (0, 1)}) == 4


def test_a_class_may_declare_its_parameters(folder: Path) -> None:
    spec = policy(read(folder, "{name: './my_picker.py:PowerOfD', d: 3}"))

    assert spec.parameters == {"d": 3}


def test_a_class_that_declares_none_gets_a_mapping() -> None:
    seen: list[Any] = []

    class Own:
        def __init__(self, context: PolicyContext) -> None:
            seen.append(dict(context.parameters))

        def pick(self, replicas: Any) -> Any: ...

    policy_of(PolicySpec("mine", {"d": 3}, given=Own), 0, 0, Programs())(HandClock())

    assert seen == [{"d": 3}]


MISTAKES = {
    "an unknown name": ("best_replicas", ", ./file.py:name or exec:./program; did you mean 'best_replica'?"),
    "no name at all": ("{d: 2}", "found a mapping without name"),
    "a number": ("7", "found 7; allowed: a name, module:name, ./file.py:name or exec:./program"),
    "no such program": ("exec:./program", "there is no program './program' beside the scenario, as "),
    "a folder for a program": ("'exec:./'", "there is no program './' beside the scenario, as "),
    "a program that is none": ("exec:./my_picker.py", "found './my_picker.py', which may not be executed; "),
    "no such file": ("./no.py:first", "'./no.py' cannot be read beside the scenario, as "),
    "a file without .py": ("./my_picker:first", "found './my_picker:first'; allowed: a file whose name ends in .py"),
    "no such name in a file": ("./my_picker.py:frist", "there is no 'frist' in ./my_picker.py; allowed: dataclass, "),
    "a name nearly in a file": ("./my_picker.py:frist", "did you mean 'first'?"),
    "something else": ("./my_picker.py:number", "./my_picker.py:number: found an object of type int"),
    "no such module": ("nowhere:first", "there is no module 'nowhere'"),
    "a file that fails": ("./fails.py:first", "./fails.py cannot be run: ZeroDivisionError: division by zero ("),
    "a file with a typing error": ("./garbled.py:first", "cannot be run: SyntaxError: expected ':' (garbled"),
    "an unknown key": ("{name: './my_picker.py:PowerOfD', e: 3}", "router.policy.e: found an unknown key; allowed: d"),
    "a value of another kind": ("{name: './my_picker.py:PowerOfD', d: two}", "router.policy.d: found 'two'; "),
    "keys of a function": ("{name: './my_picker.py:first', d: 2}", "router.policy.d: found a key; allowed: none"),
    "keys of the best replica": ("{name: best_replica, d: 2}", "router.policy.d: found an unknown key; allowed: ties"),
    "too small a value": ("{name: power_of_d, ties: first, d: 0}", "router.policy.d: found 0; allowed: 1 or more"),
    "a word that is none": ("{name: least_in_flight, ties: last}", "router.policy.ties: found 'last'; input should be"),
    "a weight that is none": ("{name: weighted_least_request, weights: {n-0: 0}}", "policy.weights: found 0 for n-0"),
    "a word for weights that is none": (
        "{name: shortest_expected_delay, weights: capacities}",
        "policy.weights: found 'capacities'; input should be a valid dictionary or input should be 'capacity'",
    ),
    "an own key with a dash": ("{name: power_of_d, d-2: 1}", "router.policy: found the key 'd-2'; allowed: small"),
    "a mistaken policy misspelt": ("first_of_equal", "or exec:./program; did you mean 'first_of_equals'?"),
}  # fmt: skip


@pytest.mark.parametrize(("written", "text"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_with_its_place(folder: Path, written: str, text: str) -> None:
    (folder / "fails.py").write_text("1 / 0")
    (folder / "garbled.py").write_text("def first(replicas) return")

    with pytest.raises(ScenarioError) as caught:
        read(folder, written)

    [line] = str(caught.value).splitlines()
    assert line.startswith(f"{folder}/scenario.yaml:")
    assert ": router.policy" in line
    assert text in line


@pytest.mark.parametrize("written", ["./my_picker.py:first", "my_picker:first", "exec:./my_picker"])
def test_code_that_is_not_allowed_is_not_run_and_the_flag_is_named(folder: Path, written: str) -> None:
    (folder / "my_picker.py").write_text("raise SystemExit")

    with pytest.raises(ScenarioError, match="runs code of your own; allowed: with --allow-code, or load"):
        read(folder, written, allow_code=False)


def test_a_policy_of_a_single_frontend_is_checked_too() -> None:
    fault = "{kind: mixed_policy, frontend: 0, router: {policy: nobody}}"

    with pytest.raises(ScenarioError, match=r"faults\[0\]\.router\.policy: found 'nobody'"):
        loads(good_but(f"faults: [{fault}]"))


def first(replicas: Any) -> Any:
    return replicas[0]


def test_a_policy_that_is_handed_over_may_be_named() -> None:
    file = loads(scenario("mine"), policies={"mine": first})

    assert list(file.variants) == ["default"]
    assert policy(file).given is first


def test_a_policy_that_nobody_names_gets_a_variant_over_the_base_router() -> None:
    text = good_but("router: {probe: {ttl: 5s}}\nvariants: {pinned: {router: {profile: pinned}}, fixed: {}}")

    file = loads(text, policies={"mine": first, "other": first})

    assert list(file.variants) == ["pinned", "fixed", "mine", "other"]
    mine = file.variants["mine"].router
    assert (mine.policy.name, mine.profile, mine.probe.ttl_ns) == ("mine", "fixed", 5 * 10**9)


@pytest.mark.parametrize("written", ["power_of_d", "./my_picker.py:first"])
def test_a_policy_may_be_handed_over_by_its_name_as_seen_from_the_working_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.chdir(folder)

    file = loads(good_but(""), policies={"mine": written}, folder="/", allow_code=True)

    found = file.variants["mine"].router.policy
    assert (found.name, found.folder) == (written, folder)


def test_code_that_is_handed_over_by_its_name_has_to_be_allowed() -> None:
    with pytest.raises(ScenarioError, match=r"found 'exec:./picker', which runs code of your own; allowed: with"):
        loads(good_but(""), policies={"mine": "exec:./picker"})


def test_an_expectation_may_be_about_the_variant_of_a_policy() -> None:
    text = good_but("expect: [{variant: mine, metric: fairness.jain, min: 0.9}]")

    assert [one.variant for one in loads(text, policies={"mine": first}).expect] == ["mine"]


@pytest.mark.parametrize(
    ("policies", "text"),
    [
        ({"best_replica": first}, "found the name 'best_replica'; allowed: one that no other policy has"),
        ({"mine": 3}, r"policies\['mine'\]: found an object of type int"),
        ({"default": first}, "has a variant 'default' that does not name this policy"),
    ],
)
def test_a_policy_that_cannot_be_handed_over_is_the_callers_error(policies: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        loads(good_but(""), policies=policies)


def test_a_variant_that_names_a_policy_does_not_inherit_the_keys_of_another_one(folder: Path) -> None:
    variants = "variants: {mine: {}, more: {router: {policy: {d: 5}}}, best: {router: {policy: best_replica}}}"
    text = good_but(f"router: {{policy: {{name: './my_picker.py:PowerOfD', d: 3}}}}\n{variants}")

    file = loads(text, folder=folder, allow_code=True)

    assert [one.router.policy.parameters for one in file.variants.values()] == [{"d": 3}, {"d": 5}, {}]


def test_a_policy_may_have_a_value_for_each_node() -> None:
    text = good_but("router: {policy: {name: weighted_least_request, weights: {dgx-spark1: 4, Nvidia.Thor_1: 0.5}}}")

    one = loads(text, ["router.policy.weights.dgx-spark1=3"]).variants["default"]

    assert one.router.policy.parameters == {"weights": {"dgx-spark1": 3, "Nvidia.Thor_1": 0.5}}
    assert loads(dump(one)).variants["default"] == one


def test_a_dumped_policy_reads_back_the_same(folder: Path) -> None:
    one = read(folder, "{name: './my_picker.py:PowerOfD', d: 3}").variants["default"]

    text = dump(one)

    assert "  policy:\n    name: ./my_picker.py:PowerOfD\n    d: 3\n" in text
    assert loads(text, folder=folder, allow_code=True).variants["default"] == one


def test_a_policy_that_cannot_go_to_another_process_says_so() -> None:
    file = loads(scenario("mine"), policies={"mine": lambda replicas: replicas[0]})

    with pytest.raises(
        PolicyError, match=r"mine cannot be sent to another process: .*; allowed: a function or class at"
    ):
        pickle.dumps(file)


REQUEST = Request(17, "m", 0, 0, 0, 0, 0, 0)
