"""`sim run --out DIR --plots` and `sim compare --plot FILE`: which pictures are written, and where."""

import json
from hashlib import blake2b
from pathlib import Path
from shutil import copytree

import pytest

from sim import loads, run
from sim.measure.saved.run_folder import PICTURES
from sim.study.batch import judged_run
from sim.study.live.save import save_live_runs
from tests.cli.command import SMALL, sim, written

# Four at one instant on two replicas, so that every picture has something to show.
AT_ONCE = SMALL.replace("spread: 2s", "spread: 0s")


def pictures(folder: Path) -> list[str]:
    return [name for name in written(folder) if name.endswith(".svg")]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a scenario, and in `out` two seeds of it with pictures."""
    home = tmp_path_factory.mktemp("home")
    (home / "small.yaml").write_text(SMALL)
    done = sim("run", "small.yaml", "--variant", "pinned", "--reps", "2", "--out", "out", "--plots", folder=home)
    assert (done.returncode, done.stderr) == (0, "")
    return home


def test_a_variants_first_seed_is_drawn_if_there_is_anything_to_see_and_all_runs_side_by_side(home: Path) -> None:
    of_run = [f"small/pinned/seed-3/{name}" for name in PICTURES if name != "bursts.svg"]

    assert pictures(home / "out") == sorted([*of_run, "small/latency.svg", "small/percentiles.svg"])


def test_a_picture_says_what_is_seen(home: Path) -> None:
    drawn = (home / "out/small/pinned/seed-3/share.svg").read_text()

    assert "spark#0 serves 100 % of the requests (pinned)</text>" in drawn


def test_pictures_of_a_run_are_in_its_manifest(home: Path) -> None:
    folder = home / "out/small/pinned/seed-3"
    files = json.loads((folder / "manifest.json").read_text())["files"]

    for name in pictures(folder):
        assert files[name]["blake2b"] == blake2b((folder / name).read_bytes(), digest_size=32).hexdigest()


def test_pictures_of_an_earlier_command_do_not_stay_beside_other_runs(home: Path, tmp_path: Path) -> None:
    copytree(home, tmp_path, dirs_exist_ok=True)
    (tmp_path / "out/small/mine.svg").write_text("my own")

    sim("run", "small.yaml", "--variant", "pinned", "--out", "out", "--overwrite", folder=tmp_path)

    assert pictures(tmp_path / "out") == ["small/mine.svg"]


def test_plots_without_a_folder_to_go_to_are_bad_input(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)

    done = sim("run", "small.yaml", "--plots", folder=tmp_path)

    message = "--plots draws into the folder of --out, and there is none; allowed: --out DIR --plots\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


def test_live_runs_are_drawn_as_simulated_ones_are(tmp_path: Path) -> None:
    file = loads(AT_ONCE)
    result = run(file, "fixed")

    save_live_runs(tmp_path, file, [result], [judged_run(result, ())], plots=True)

    of_run = [f"small/fixed/seed-3/{name}" for name in PICTURES]
    assert pictures(tmp_path) == sorted([*of_run, "small/latency.svg", "small/percentiles.svg"])


def test_compare_draws_the_differences(home: Path) -> None:
    done = sim("compare", "small.yaml", "--reps", "2", "-j", "1", "--plot", "differences.svg", folder=home)

    assert done.returncode == 0
    drawn = (home / "differences.svg").read_text()
    assert "fixed against pinned:" in drawn
    assert "fairness.jain ▸</text>" in drawn


def test_compare_draws_no_other_kind_of_picture_than_its_name_says(home: Path) -> None:
    done = sim("compare", "small.yaml", "--plot", "differences.png", folder=home)

    assert done.returncode == 2
    assert done.stderr == "--plot: found differences.png; allowed: a file whose name ends in .svg\n"
