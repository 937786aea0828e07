"""`sim list`, `sim schema`, `sim --version` and the help."""

import json
import subprocess
import sys
from pathlib import Path

from sim import __version__
from sim.scenario import json_schema
from tests.cli.command import HELD, SMALL, environment, sim, sim_process


def test_list_shows_each_scenario_with_its_variants_and_first_those_directly_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/small.yaml").write_text(SMALL)
    (tmp_path / "later.yml").write_text(SMALL.replace("name: small", "name: later"))

    done = sim("list", ".", folder=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert [line.strip() for line in done.stdout.splitlines()] == [
        "later.yml  later",
        "Four requests on two replicas.",
        "variants: pinned, fixed",
        "deep/small.yaml  small",
        "Four requests on two replicas.",
        "variants: pinned, fixed",
    ]


def test_list_wraps_no_line_in_a_pipe(tmp_path: Path) -> None:
    about = "A long [sentence] " + "and so on " * 20
    (tmp_path / "long.yaml").write_text(SMALL.replace("Four requests on two replicas.", about))

    shown = sim("list", ".", folder=tmp_path).stdout

    assert shown.splitlines() == ["long.yaml  small", f"  {about.strip()}", "  variants: pinned, fixed"]


def test_list_as_json_has_an_entry_for_each_scenario(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL + HELD)

    done = sim("list", ".", "--json", folder=tmp_path)

    assert json.loads(done.stdout) == [
        {
            "file": "small.yaml",
            "name": "small",
            "about": "Four requests on two replicas.",
            "variants": ["pinned", "fixed"],
            "expectations": 1,
        }
    ]


def test_list_as_json_of_a_folder_without_scenarios_is_an_empty_list(tmp_path: Path) -> None:
    done = sim("list", tmp_path, "--json")

    assert (done.returncode, json.loads(done.stdout)) == (5, [])


def test_list_looks_below_scenarios_unless_told_otherwise(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios/small.yaml").write_text(SMALL)

    assert "scenarios/small.yaml" in sim("list", folder=tmp_path).stdout


def test_list_tells_of_a_broken_file_and_shows_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: [")
    (tmp_path / "b.yaml").write_text(SMALL)
    (tmp_path / ".hidden.yaml").write_text("name: [")

    done = sim("list", ".", folder=tmp_path)

    assert done.returncode == 2
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["a.yaml"]
    assert "b.yaml  small" in done.stdout


def test_list_of_a_folder_without_scenarios_gives_exit_code_5(tmp_path: Path) -> None:
    done = sim("list", tmp_path)

    assert (done.returncode, done.stdout) == (5, "")
    assert "holds no scenario files" in done.stderr


def test_list_of_no_folder_gives_exit_code_2(tmp_path: Path) -> None:
    done = sim("list", tmp_path / "none")

    assert done.returncode == 2
    assert "is not a folder" in done.stderr


def test_schema_prints_the_json_schema_of_scenarios() -> None:
    done = sim("schema")

    assert done.returncode == 0
    assert json.loads(done.stdout) == json_schema()


def test_version_is_the_packages_own() -> None:
    assert sim("--version").stdout == f"sim {__version__}\n"


def test_the_installed_command_is_the_same_program() -> None:
    installed = Path(sys.executable).with_name("sim")

    done = subprocess.run([installed, "--version"], capture_output=True, text=True, check=True)

    assert done.stdout == f"sim {__version__}\n"


def test_python_runs_the_package_as_the_same_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sim", "--version"], env=environment({}), capture_output=True, text=True, check=True
    )

    assert done.stdout == f"sim {__version__}\n"


def test_the_help_has_a_short_name_too() -> None:
    assert sim("run", "-h").stdout == sim("run", "--help").stdout


def test_the_help_of_run_lists_every_option_and_exit_code() -> None:
    done = sim("run", "--help")

    options = ("--variant", "--seed", "--reps", "--set", "--out", "--overwrite", "--json", "--allow-dir", "--jobs")
    assert done.returncode == 0
    assert [option for option in options if option not in done.stdout] == []
    assert [code for code in (" 0 ", " 1 ", " 2 ", " 4 ", " 5 ", "130 ", "141") if code not in done.stdout] == []


def test_help_bad_input_and_a_small_run_wait_for_no_heavy_import(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("name: [")
    (tmp_path / "small.yaml").write_text(SMALL)
    listing = "import atexit, sys; atexit.register(lambda: print(*sys.modules))\nfrom sim.cli import main\nmain()"
    heavy = {"pandas", "scipy", "pyarrow", "matplotlib", "jinja2"}

    loaded = [
        set(sim_process(*arguments, start=listing, folder=tmp_path).stdout.split())
        for arguments in (("--help",), ("run", "bad.yaml"), ("run", "small.yaml"))
    ]

    assert "numpy" not in loaded[0]
    assert [modules & heavy for modules in loaded] == [set(), set(), set()]


def test_a_folder_with_an_impossible_name_is_refused() -> None:
    done = sim("list", "a" * 300)

    assert (done.returncode, done.stdout) == (2, "")
    assert "is not a folder; allowed: a folder with scenario files" in done.stderr
