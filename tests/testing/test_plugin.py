"""The pytest plugin: what `pytest --sim` collects, what its failures say, and that it is off unless asked for."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.docs.pages import ROOT, page, text
from tests.testing.late_replica import TEXT

pytest_plugins = ["pytester"]

# Here, because pytester takes back whatever is imported first by a pytest within this process.
for module in ("scipy.stats", "sim.study.compare", "sim.testing.balance", "sim.testing.collection"):
    import_module(module)

PICKERS = '''
"""Pickers of a user, who counts how many runs are made."""

class InTurn:
    def __init__(self, context):
        self.turn = 0
        with open({log!r}, "a") as log:
            log.write("run\\n")

    def pick(self, replicas, request):
        self.turn += 1
        there = self.choose(replicas)
        return there[self.turn % len(there)] if there else None

class Right(InTurn):
    def choose(self, replicas):
        return replicas

class Forgetful(InTurn):
    known = ()

    def choose(self, replicas):
        self.known = self.known or [replica.id for replica in replicas]
        return [replica for replica in replicas if replica.id in self.known]

def broken(replicas):
    raise KeyError("no weights")
'''
VARIANTS = """
variants:
  wrong: {router: {policy: "./pickers.py:Forgetful"}}
  right: {router: {policy: "./pickers.py:Right"}}
"""
EXPECT = """
expect:
  - {metric: fairness.busiest_share, max: 0.45, after: 10s, for_every_seed: true}
  - {metric: fairness.jain, min: 0.9, after: 10s, over: 20 seeds}
  - {variant: right, metric: requests.failed, max: 0}
"""
LAW, MEAN = "fairness.busiest_share<=0.45[after=10s,every_seed]", "fairness.jain>=0.9[after=10s,over=20]"


class Project:
    """A user's project: a folder of scenarios, a picker, and tests."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.scenarios = pytester.mkdir("scenarios")
        self.log = pytester.path / "runs.log"
        (self.scenarios / "pickers.py").write_text(PICKERS.format(log=str(self.log)))

    def scenario(self, text: str, name: str = "late.yaml") -> None:
        (self.scenarios / name).write_text(text)

    def run(self, *options: str) -> pytest.RunResult:
        # The plugin is named, for an environment whose entry points are older than it.
        return self.pytester.runpytest_inprocess("-p", "no:sim", "-p", "sim.testing.plugin", *options)

    @property
    def runs(self) -> int:
        """How many runs of a variant were made up to now."""
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    return Project(pytester)


def test_a_forgotten_replica_is_red_and_the_message_names_all_of_it_while_the_right_picker_is_green(
    project: Project,
) -> None:
    project.scenario(TEXT + VARIANTS + EXPECT)
    result = project.run("--sim", "--allow-code", "scenarios", "-v", "--junit-xml=junit.xml")

    result.assert_outcomes(passed=3, failed=2)
    result.stdout.fnmatch_lines([f"scenarios/late.yaml::wrong::{_glob(LAW)} FAILED*"])
    result.stdout.fnmatch_lines([f"scenarios/late.yaml::right::{_glob(MEAN)} PASSED*"])
    result.stdout.fnmatch_lines(
        [
            "scenarios/late.yaml: wrong: fairness.jain after 10s is * (95 % interval * to *), expected >= 0.9",
            "held on 0 of 20 seeds, worst * on seed *",
            "completed requests of wrong on seed * after 10s:",
            "  n2#0  *   0%  no request at all",
            "run it again: sim run scenarios/late.yaml --variant wrong --seed * --allow-code",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    properties = junit_properties(project.pytester.path / "junit.xml")
    assert properties[MEAN, "right"].items() >= {"seeds": "20", "held": "20", "bound": ">= 0.9"}.items()
    assert properties["requests.failed<=0", "right"].items() >= {"value": "0", "seed": "0", "variant": "right"}.items()
    assert len(properties[LAW, "wrong"]["digest"]) == 32


def test_each_run_is_made_once_however_many_tests_look_at_it(project: Project) -> None:
    project.scenario(TEXT + VARIANTS + EXPECT.replace("20 seeds", "3 seeds"))
    project.run("--sim", "--allow-code", "scenarios", "-k", "right").assert_outcomes(passed=3, deselected=2)
    assert project.runs == 2 * 3


@pytest.mark.slow
def test_workers_of_xdist_share_the_runs(project: Project) -> None:
    project.scenario(TEXT + VARIANTS + EXPECT.replace("20 seeds", "3 seeds"))
    project.pytester.runpytest_subprocess(
        *("-p", "no:sim", "-p", "sim.testing.plugin", "--sim", "--allow-code", "scenarios", "-n", "2", "-k", "right")
    ).assert_outcomes(passed=3)
    assert project.runs == 2 * 3


def test_one_seed_is_run_if_no_more_are_asked_for(project: Project) -> None:
    project.scenario(TEXT + VARIANTS + EXPECT)
    project.run("--sim", "--allow-code", "scenarios/late.yaml::right::requests.failed<=0").assert_outcomes(passed=1)
    assert project.runs == 2


def test_what_failed_last_is_run_again_after_a_repair(project: Project) -> None:
    project.scenario(TEXT + VARIANTS + EXPECT.replace("20 seeds", "2 seeds"))
    project.run("--sim", "--allow-code", "scenarios").assert_outcomes(passed=3, failed=2)
    pickers = project.scenarios / "pickers.py"
    pickers.write_text(pickers.read_text().replace("self.known or ", ""))
    project.run("--sim", "--allow-code", "scenarios", "--lf").assert_outcomes(passed=2)


def test_scenarios_are_left_alone_unless_asked_for(project: Project) -> None:
    project.scenario(TEXT + VARIANTS + EXPECT)
    project.pytester.makepyfile("def test_of_python(): pass")
    project.run().assert_outcomes(passed=1)


def test_the_setting_adds_a_folder_to_whatever_else_is_set_up(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.scenario(TEXT + VARIANTS + EXPECT.replace("20 seeds", "2 seeds"))
    project.scenario("not: a scenario", "../other.yaml")
    test = project.pytester.mkdir("tests") / "test_python.py"
    test.write_text("def test_of_python(): pass")
    project.pytester.makeini(
        "[pytest]\ntestpaths = tests\nsim_scenarios = scenarios\naddopts = --allow-code -k 'not wrong'"
    )
    project.run().assert_outcomes(passed=4, deselected=2)
    project.run("tests").assert_outcomes(passed=1)
    monkeypatch.chdir("tests")
    project.run().assert_outcomes(passed=1)


def test_a_bad_scenario_is_a_collection_error_in_its_own_words(project: Project) -> None:
    project.scenario(TEXT + "expect: [{metric: fairness.jian, min: 0.9}]")
    result = project.run("--sim", "scenarios")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["scenarios/late.yaml:*: expect[[]0].metric: 'fairness.jian' is not a metric; *fairness.jain*"]
    )
    assert "Traceback" not in result.stdout.str()
    assert "collection.py" not in result.stdout.str()


def test_code_of_a_scenario_is_not_run_unless_it_is_allowed(project: Project) -> None:
    project.scenario(TEXT + VARIANTS + EXPECT)
    result = project.run("--sim", "scenarios")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*runs code of your own; allowed: with --allow-code*"])


def test_a_picker_that_raises_is_told_without_the_frames_of_the_simulator(project: Project) -> None:
    project.scenario(TEXT + 'router: {policy: "./pickers.py:broken"}\nexpect: [{metric: requests.failed, max: 0}]')
    result = project.run("--sim", "--allow-code", "scenarios")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*: router.policy: ./pickers.py:broken raised KeyError: 'no weights' * for request 0*"]
    )
    assert "Traceback" not in result.stdout.str()


def test_a_scenario_that_expects_nothing_is_no_green(project: Project) -> None:
    project.scenario(TEXT)
    result = project.run("--sim", "scenarios", "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*scenarios/late.yaml expects nothing"])


def test_twins_have_names_of_their_own(project: Project) -> None:
    project.scenario(TEXT + "expect: [{metric: requests.failed, max: 0}, {metric: requests.failed, max: 0}]")
    result = project.run("--sim", "scenarios", "--collect-only", "-q")
    result.stdout.fnmatch_lines([f"scenarios/late.yaml::default::requests.failed<=0{twin}" for twin in ("", "[#]2")])


def test_fixtures_run_the_scenarios_beside_the_test(project: Project) -> None:
    project.scenario(TEXT + VARIANTS)
    (project.scenarios / "test_mine.py").write_text(
        """
from sim.testing import assert_balanced

def test_right(sim_run, sim_compare):
    assert_balanced(sim_run("late.yaml", "right", seed=3), after="10s")
    comparison = sim_compare("late.yaml", a="wrong", b="right", metrics=["fairness.jain"], reps=3)
    assert [row.metric for row in comparison.better] == ["fairness.jain"]

def test_wrong(sim_run):
    assert_balanced(sim_run("late.yaml", "wrong", seed=3))
"""
    )
    result = project.run("--allow-code")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["E*AssertionError: late_replica, wrong, seed 3: qwen3 is not balanced"])
    # The trace ends in the user's own line.
    assert "balance.py" not in result.stdout.str()


def test_the_test_that_the_page_names_is_there(project: Project) -> None:
    [name] = re.findall(r"^    pytest --sim '(.*)'$", text(page("how-to/scenarios-as-tests")), re.MULTILINE)
    project.run("--sim", f"{ROOT}/{name}").assert_outcomes(passed=1)


def test_a_pytest_without_scenarios_imports_next_to_nothing() -> None:
    heavy = ("numpy", "pydantic", "simpy", "sim.scenario", "sim.measure", "sim.study")
    code = f"import sys, sim.testing.plugin; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def junit_properties(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    """Return the properties of each test by its name and variant."""
    properties = {}
    for case in ET.parse(path).iter("testcase"):
        figures = {one.attrib["name"]: one.attrib["value"] for one in case.iter("property")}
        properties[case.attrib["name"], figures["variant"]] = figures
    return properties


def _glob(text: str) -> str:
    return text.replace("[", "[[]")
