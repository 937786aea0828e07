"""`sim explain`: what is told, in which form, and what is refused."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.command import SMALL, sim

MINE = """
name: mine
seed: 4
duration: 10s
nodes: [{name: spark}, {name: thor}]
models: [{name: m, service: {mean: 1s}, replicas: [{node: spark}, {node: thor}]}]
workload: [{kind: poisson, model: m, rate: 2/s}]
router: {policy: ./mine.py:pick}
"""
ANSI = re.compile(r"\x1b\[[0-9;]*m")
LAST = "def pick(replicas):\n    return replicas[-1]\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two scenarios, one with a policy of its own, and the saved runs of both."""
    home = tmp_path_factory.mktemp("home")
    (home / "small.yaml").write_text(SMALL)
    (home / "mine.yaml").write_text(MINE)
    (home / "mine.py").write_text(LAST)
    sim("run", "small.yaml", "--out", "runs", folder=home)
    sim("run", "mine.yaml", "--allow-code", "--out", "own", folder=home)
    return home


def test_the_way_of_a_request_is_told_of_a_scenario(home: Path) -> None:
    done = sim("explain", "small.yaml", "--variant", "fixed", "--request", "1", folder=home)

    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("small, fixed, seed 3: request 1 of qwen3, completed on ")
    assert lines[-1].endswith("completed")
    assert any("best_replica takes " in line for line in lines)


def test_a_saved_run_tells_the_same(home: Path) -> None:
    of_scenario = sim("explain", "small.yaml", "--variant", "fixed", "--request", "1", folder=home)

    of_run = sim("explain", "runs/small/fixed/seed-3", "--request", "1", folder=home)
    of_folder = sim("explain", "runs", "--variant", "fixed", "--request", "1", folder=home)

    assert of_run.stdout == of_folder.stdout == of_scenario.stdout


def test_a_pick_of_a_policy_unknown_to_us_shows_its_candidates_and_figures(home: Path) -> None:
    done = sim("explain", "own", "--request", "2", "--json", "--allow-code", folder=home)

    steps = json.loads(done.stdout)["steps"]
    decision = next(step["decision"] for step in steps if step["what"] == "chose")
    assert decision["policy"] == "./mine.py:pick"
    assert (decision["rule"], decision["taken"]) == ("own", "thor#0")
    assert [one["replica"] for one in decision["candidates"]] == ["spark#0", "thor#0"]
    assert decision["candidates"][1]["in_flight"] > 0
    assert decision["candidates"][1]["ranks"]["in_flight"] == 2


def test_the_file_of_a_policy_is_named_as_seen_from_where_the_user_stands(home: Path) -> None:
    (home / "below").mkdir()
    told = ["--request", "2", "--allow-code"]

    assert "./mine.py:pick takes thor#0" in sim("explain", "mine.yaml", *told, folder=home).stdout
    assert "./mine.py:pick takes thor#0" in sim("explain", "own/mine/default/seed-4", *told, folder=home).stdout
    assert "../mine.py:pick takes thor#0" in sim("explain", "../own", *told, folder=home / "below").stdout


def test_what_became_of_a_row_is_told_as_text_and_as_json(home: Path) -> None:
    asked = ["explain", "small.yaml", "--variant", "fixed", "--row", "spark#0"]

    text = sim(*asked, folder=home).stdout
    (row,) = json.loads(sim(*asked, "--json", folder=home).stdout)["rows"]

    assert text.startswith("small, fixed, seed 3: spark#0 had 1 row\n")
    assert (row["published"]["cause"], row["removed"]) == ("scenario", None)
    assert f"{row['picks']} pick" in text


def test_where_two_variants_part_is_told_of_scenario_and_folder_alike(home: Path) -> None:
    of_scenario = sim("explain", "small.yaml", "--first-difference", "pinned", "fixed", folder=home)
    of_folder = sim("explain", "runs", "--first-difference", "pinned", "fixed", folder=home)

    assert of_scenario.returncode == 0
    assert of_scenario.stdout == of_folder.stdout
    assert "pinned made no such pick" in of_scenario.stdout


def test_where_two_folders_part_is_told_with_names_for_both(home: Path) -> None:
    folders = ["runs/small/pinned/seed-3", "runs/small/fixed/seed-3"]

    done = sim("explain", "--first-difference", *folders, folder=home)
    document = json.loads(sim("explain", "--first-difference", *folders, "--json", folder=home).stdout)

    assert done.stdout.startswith(f"A {folders[0]}\nB {folders[1]}\nfirst difference at ")
    assert document["first_difference"]["base"] == "made no such pick"


def test_a_run_and_itself_do_not_part(home: Path) -> None:
    asked = ["explain", "small.yaml", "--first-difference", "fixed", "fixed"]

    assert sim(*asked, folder=home).stdout == "fixed and fixed decide the same, if perhaps at other times\n"
    assert json.loads(sim(*asked, "--json", folder=home).stdout) == {"first_difference": None}


def test_a_run_whose_code_has_changed_is_not_explained(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(MINE)
    (tmp_path / "mine.py").write_text(LAST)
    sim("run", "mine.yaml", "--allow-code", "--out", "own", folder=tmp_path)
    (tmp_path / "mine.py").write_text(LAST.replace("[-1]", "[0]"))

    done = sim("explain", "own", "--request", "2", "--allow-code", folder=tmp_path)

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("mine, default, seed 4 comes out otherwise now: its digest was ")
    assert "has changed since" in done.stderr


def test_a_narrow_terminal_gets_narrow_lines_with_the_same_words(home: Path) -> None:
    asked = ["explain", "small.yaml", "--variant", "fixed", "--request", "1"]

    # Rich takes a pipe for a terminal if FORCE_COLOR is set.
    narrow = sim(*asked, folder=home, FORCE_COLOR="1", NO_COLOR="1", COLUMNS="40").stdout
    coloured = sim(*asked, folder=home, FORCE_COLOR="1", COLUMNS="200").stdout
    plain = sim(*asked, folder=home).stdout

    assert max(map(len, ANSI.sub("", narrow).splitlines())) <= 40
    assert ANSI.sub("", coloured).split() == plain.split()
    assert "\x1b[36m" in coloured
    assert "\x1b[36m" not in narrow


def test_the_usage_puts_one_pair_of_brackets_around_the_run(home: Path) -> None:
    assert sim("explain", "--help", folder=home).stdout.startswith("Usage: sim explain [OPTIONS] [RUN]\n")


ONE = ["small.yaml", "--variant", "fixed"]
REFUSALS = {
    "no question": (ONE, "found no question, or several; allowed: one of --request ID, --row LABEL, --first"),
    "two questions": ([*ONE, "--request", "1", "--row", "spark#0"], "found no question, or several; allowed: one of"),
    "no run": (["--request", "1"], "found no run; allowed: a scenario file, or a folder that `sim run --out`"),
    "no file": (["smal.yaml", "--request", "1"], "smal.yaml: "),
    "no variant": (
        ["small.yaml", "--request", "1"],
        "small.yaml has several variants; name one of them: pinned, fixed",
    ),
    "no such variant": (
        ["small.yaml", "--request", "1", "--variant", "fixt"],
        "small.yaml has no variant 'fixt'; allowed: pinned, fixed; did you mean 'fixed'?",
    ),
    "no such request": (
        [*ONE, "--request", "4"],
        "small, fixed, seed 3 has no request 4; allowed: 0 to 3; the nearest",
    ),
    "no such row": ([*ONE, "--row", "sparc#0"], "small, fixed, seed 3 has no row of 'sparc#0'; allowed: "),
    "several runs": (["runs", "--request", "1"], "runs holds 2 such runs; choose one by --variant and --seed"),
    "no such run": (["runs", "--request", "1", "--seed", "9"], "runs holds no such run; choose one by --variant"),
    "a third variant": (
        [*ONE, "--first-difference", "pinned", "fixed"],
        "--variant names one run; --first-difference A B names two variants of RUN",
    ),
    "no such saved variant": (
        ["runs", "--first-difference", "fixt", "pinned"],
        "runs has no variant 'fixt'; allowed: fixed, pinned; did you mean 'fixed'?",
    ),
    "variants of no run": (
        ["--first-difference", "fixed", "pinned"],
        "fixed does not exist; allowed: a folder that `sim run --out` has written; two variants need their RUN too",
    ),
    "set on a saved run": (["runs", "--request", "1", "--set", "seed=2"], "--set says what to run; a saved run"),
    "code that is not allowed": (["own", "--request", "1"], "own/mine/default/seed-4/plan.yaml:"),
}


@pytest.mark.parametrize(("arguments", "told"), REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_be_explained_is_refused_in_a_sentence(home: Path, arguments: list[str], told: str) -> None:
    done = sim("explain", *arguments, folder=home)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(told)
    assert "Traceback" not in done.stderr
