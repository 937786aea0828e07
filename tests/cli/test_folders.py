"""`sim run FOLDER` runs the scenario files that are directly in the folder, and says how many these are."""

from pathlib import Path

from tests.cli.command import BROKEN, HELD, SMALL, sim


def small(name: str, expect: str = HELD) -> str:
    return SMALL.replace("name: small", f"name: {name}") + expect


def test_every_scenario_in_the_folder_is_run_in_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "b.yml").write_text(small("second"))
    (tmp_path / "a.yaml").write_text(small("first"))
    (tmp_path / "notes.txt").write_text("no scenario")
    (tmp_path / ".hidden.yaml").write_text("name: [")

    done = sim("run", ".", folder=tmp_path)

    assert done.returncode == 0
    assert done.stderr == ".: 2 scenario files\n"
    assert [line.split()[0] for line in done.stdout.splitlines() if "seed" in line] == ["first", "second"]


def test_scenarios_in_folders_below_are_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/below.yaml").write_text(small("below"))
    (tmp_path / "a.yaml").write_text(small("first"))

    done = sim("run", ".", folder=tmp_path)

    assert done.stderr == ".: 1 scenario file; 1 in folders below it is left out\n"
    assert "below" not in done.stdout


def test_the_last_line_names_the_scenarios_that_do_not_do_what_they_expect(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(small("first", BROKEN))
    (tmp_path / "b.yaml").write_text(small("second"))

    done = sim("run", ".", folder=tmp_path)

    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "1 of 2 scenarios do what they expect; not: a.yaml"


def test_a_folder_without_scenarios_gives_exit_code_2(tmp_path: Path) -> None:
    done = sim("run", ".", folder=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ". holds no scenario files (.yaml or .yml); allowed: a file, or a folder of them\n"
