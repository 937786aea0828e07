"""Broken scenario files are refused with the place of each fault and what is allowed, never with a traceback."""

from functools import cache
from pathlib import Path

import pytest

from sim import load, loads
from sim.scenario import ScenarioError
from tests.scenario.bad_scenarios import CLASSES
from tests.scenario.good_scenario import good_but

CASES = [pytest.param(*case, id=f"{kind}: {name}") for kind, cases in CLASSES.items() for name, case in cases.items()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the cases about paths need."""
    outside = tmp_path_factory.mktemp("outside") / "trace.csv"
    outside.write_text("arrival_s,context_tokens,generated_tokens\n0,1,1\n")
    folder = tmp_path_factory.mktemp("inside")
    (folder / "folder").mkdir()
    (folder / "link.csv").symlink_to(outside)
    (folder / "loop").symlink_to(folder / "loop")
    return folder


@cache
def refused(text: str, folder: Path) -> ScenarioError:
    with pytest.raises(ScenarioError) as refusal:
        loads(text, folder=folder)
    return refusal.value


def test_the_good_scenario_is_accepted() -> None:
    scenario = loads(good_but()).variants["default"]

    assert scenario.duration_ns == 60_000_000_000


@pytest.mark.parametrize(("marked", "message"), CASES)
def test_a_broken_scenario_is_refused_with_its_place_and_the_remedy(folder: Path, marked: str, message: str) -> None:
    before, mark, after = marked.partition("§")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")

    refusal = refused(before + after, folder)

    assert mark
    matching = [line for line in str(refusal).splitlines() if message in line]
    assert matching, str(refusal)
    assert matching[0].startswith(f"<text>:{line}:{column}: ")


@pytest.mark.parametrize(("marked", "message"), CASES)
def test_a_fault_is_reported_as_one_short_line_that_can_be_seen(folder: Path, marked: str, message: str) -> None:
    refusal = refused(marked.replace("§", ""), folder)

    lines = str(refusal).splitlines()
    assert len(lines) == len(refusal.problems) == 1, message
    assert lines[0].isprintable()
    assert len(lines[0]) < 400


def test_a_file_that_is_not_utf_8_is_refused_where_the_first_bad_byte_is(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"name: a\nabout: caf\xe9\n")

    with pytest.raises(ScenarioError, match=r"latin\.yaml:2:11: found bytes that are not UTF-8; allowed: UTF-8 text"):
        load(path)


def test_a_file_in_utf_16_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wide.yaml"
    path.write_text(good_but(), encoding="utf-16")

    with pytest.raises(ScenarioError, match="allowed: UTF-8 text"):
        load(path)


def test_a_byte_order_mark_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "marked.yaml"
    path.write_text(good_but(), encoding="utf-8-sig")

    assert load(path).name == "good"


def test_line_ends_of_windows_are_allowed(tmp_path: Path) -> None:
    path = tmp_path / "windows.yaml"
    path.write_bytes(good_but("about: |\n  one\n  two").replace("\n", "\r\n").encode())

    assert load(path).about == "one\ntwo\n"


def test_a_file_of_more_than_a_mebibyte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_text("#" * (1 << 20) + "\n")

    with pytest.raises(ScenarioError, match="is too large; allowed: at most 1,048,576 bytes"):
        load(path)


def test_all_faults_are_reported_at_once_in_the_order_of_the_file() -> None:
    text = good_but("duration: 30", "nodes: [{name: spark, slot: 1}]", "workload: [{kind: poison, model: qwen}]")

    with pytest.raises(ScenarioError) as refusal:
        loads(text)

    assert [problem.key for problem in refusal.value.problems] == [
        "duration",
        "nodes[0].slot",
        "workload[0].kind",
        "workload[0].model",
    ]


def test_a_fault_of_the_base_is_reported_once_however_many_variants_share_it() -> None:
    text = good_but("frontends: 0", "variants: {a: {}, b: {seed: 1}, c: {}}")

    with pytest.raises(ScenarioError) as refusal:
        loads(text)

    assert len(refusal.value.problems) == 1


def test_only_the_first_twenty_faults_are_printed_and_the_rest_is_counted() -> None:
    nodes = ", ".join(f"{{name: n{number}, slots: 0}}" for number in range(25))

    with pytest.raises(ScenarioError) as refusal:
        loads(good_but(f"nodes: [{nodes}]", "models: [{name: qwen3, service: {mean: 1s}}]"))

    assert len(refusal.value.problems) == 25
    assert str(refusal.value).splitlines()[20:] == ["and 5 more, shown once these are mended"]


def test_faults_beside_an_unusable_list_of_variants_are_reported_too() -> None:
    with pytest.raises(ScenarioError) as refusal:
        loads(good_but("seed: -1", "variants: {}"))

    assert [problem.key for problem in refusal.value.problems] == ["seed", "variants"]
