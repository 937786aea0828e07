"""The README and the pages tell the truth: examples run, pictures are what commands show, names exist."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from matplotlib import pyplot

from sim import load, run
from sim.cli.process.exits import ExitCode
from sim.scenario import FAULT_KINDS
from tests.cli.command import sim, sim_process
from tests.docs import printed
from tests.docs.pages import PAGES, README, ROOT, blocks, example, examples, page, text
from tests.docs.picture import PICTURE, words
from tests.forms import mostly_short

SCENARIOS = ("two_nodes", "one_of_three")
"""The examples that are whole scenarios, by name."""


def test_there_are_exactly_two_shell_commands_of_one_line_each() -> None:
    assert [block.count("\n") for block in blocks(README, "sh")] == [1, 1]


def test_the_picture_shows_what_the_command_prints() -> None:
    shown = sim("run", "scenarios/cache_pinning.yaml", folder=ROOT).stdout

    assert words(PICTURE.read_text(encoding="utf-8")) == shown.split(), "draw it anew: python -m tests.docs.picture"


@pytest.mark.parametrize("name", SCENARIOS)
def test_an_example_scenario_does_what_it_expects(tmp_path: Path, name: str) -> None:
    (tmp_path / "example.yaml").write_text(example(f"name: {name}\n"))

    done = sim("run", "example.yaml", "-j", "1", folder=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")


# Five seeds of every regression take as long as all else here.
LONG = "sim check best_replica --seeds 5"


@pytest.mark.parametrize("command", mostly_short(printed.SHOWN, long=(LONG,)))
def test_what_a_page_shows_is_what_the_command_prints(command: str) -> None:
    assert printed.on_its_page(command) == printed.drawn(command), "draw it anew: python -m tests.docs.printed"


def test_the_example_of_a_comparison_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)

    exec(example("comparison.table"), {})


def test_the_example_of_a_run_gives_figures_and_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}

    exec(example("result.metrics_in("), names)

    assert names["result"].metrics["fairness.jain"] > 0.9


def test_the_example_of_many_runs_finds_nothing_amiss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}

    # On two of its seeds, which take less time.
    exec(example("results.failed  #").replace("range(20)", "(6, 7)"), names)

    assert len(names["results"]) == 6
    assert names["results"].failed == []


def test_the_example_of_plots_draws_what_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    matplotlib.use("Agg")

    exec(example("result.plot.share()"), {})

    titles = [pyplot.figure(number).axes[0].get_title(loc="left") for number in pyplot.get_fignums()]
    pyplot.close("all")
    assert titles[0] == "dgx-spark1#0 serves 100 % of the requests (pinned)"
    assert len(titles) == 4


def test_the_example_of_a_story_tells_of_the_new_replica(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)

    exec(example("explain(result, request=14)"), {})

    assert "best_replica takes nvidia-thor1#0: it has the fewest requests in flight" in capsys.readouterr().out


def test_the_example_of_a_test_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    exec(example("sim_run"), names)

    # What the fixture is for a test in this folder; the plugin's own tests hold that.
    names["test_the_fix_keeps_its_promise"](run)


def test_the_example_of_an_observer_sees_the_pinning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}

    exec(example("Observer"), names)

    [(node, count)] = names["requests"].count.items()
    assert (node, count > 300) == ("dgx-spark1", True)


def test_the_example_of_a_policy_runs_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "my_picker.py").write_text(example("class PowerOfTwo"))
    (tmp_path / "mine_or_best.yaml").write_text(example("name: mine_or_best"))

    done = sim_process("run", "mine_or_best.yaml", "--allow-code", folder=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_example_of_a_policy_passes_its_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(tmp_path)
    # Another test may have imported a file of the same name.
    monkeypatch.delitem(sys.modules, "my_picker", raising=False)
    (tmp_path / "my_picker.py").write_text(example("class PowerOfTwo"))
    names: dict[str, Any] = {}
    exec(example("test_power_of_two_is_balanced"), names)

    names["test_power_of_two_is_balanced"]()


def test_the_example_of_a_picker_that_goes_by_capacity_is_faster_on_uneven_nodes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    exec(example("def soonest"), names)

    uneven = load("scenarios/policies/uneven_nodes.yaml")
    mine = run(uneven, "mine", policies={"mine": names["soonest"]})

    assert mine.metrics["latency.p99_s"] < run(uneven, "best_replica").metrics["latency.p99_s"]


def test_the_example_of_a_service_serves_from_both_replicas(tmp_path: Path) -> None:
    (tmp_path / "service.py").write_text(example("asyncio.run(main())"))

    done = subprocess.run(
        [sys.executable, "service.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    said = [line for line in done.stdout.splitlines() if " said " in line]
    assert {line.partition(" said ")[0] for line in said} == {"dgx-spark1#0", "nvidia-thor1#0"}
    assert len(said) == 8
    assert done.stdout.count("which had") == 9
    assert done.stdout.splitlines()[-3:-1] == ["piece: 'first'", "piece: 'last'"]
    assert done.stdout.splitlines()[-1].startswith("LoadFailed: ")
    assert "no replica of llama3 can serve" in done.stdout.splitlines()[-1]


def test_every_kind_of_fault_is_in_the_table() -> None:
    rows = re.findall(r"^\| ([a-z]+) \| `([a-z_ ]+)` \|$", text(page("how-to/break-things")), flags=re.MULTILINE)

    assert {family: tuple(kinds.split()) for family, kinds in rows} == FAULT_KINDS


def test_pages_that_count_the_kinds_of_faults_count_right() -> None:
    counts = [int(number) for path in PAGES for number in re.findall(r"(\d+)\s+kinds\s+of\s+faults", text(path))]

    assert len(counts) >= 2
    assert set(counts) == {sum(map(len, FAULT_KINDS.values()))}


def test_every_exit_code_is_in_the_table() -> None:
    rows = re.findall(r"^\| ([0-9, ]+) \|", text(page("how-to/run-scenarios")), flags=re.MULTILINE)

    told = {code.strip() for row in rows for code in row.split(",")}
    assert told == {str(int(code)) for code in ExitCode} | {"130", "143"}


WITH_TESTS_OF_THEIR_OWN = ("router-in-any-language", "check-your-router-in-ci")


def test_no_example_goes_untested() -> None:
    tests = Path(__file__).read_text(encoding="utf-8")
    tried = [*(f"name: {name}\n" for name in SCENARIOS), *re.findall(r'example\("([^"]*)"\)', tests)]
    found = examples(path for path in PAGES if path.stem not in WITH_TESTS_OF_THEIR_OWN)

    assert len(found) >= 10
    assert [block for block in found if not any(words in block for words in tried)] == []
