"""The command line with which a run of a scenario file is had again."""

from pathlib import Path

from sim import load, loads
from tests.scenario.good_scenario import good_but

TWO = good_but("variants: {pinned: {}, fixed: {}}")


def test_it_names_variants_and_seed_and_all_that_changed_the_file(tmp_path: Path) -> None:
    path, traces = tmp_path / "two nodes.yaml", tmp_path / "traces"
    path.write_text(TWO)
    traces.mkdir()

    file = load(path, ["router.probe.ttl=5s"], [traces], allow_code=True)

    assert file.command(["pinned", "fixed"], 7) == (
        f"sim run '{path}' --variant pinned --variant fixed --seed 7 --set router.probe.ttl=5s"
        f" --allow-dir {traces} --allow-code"
    )


def test_a_file_without_variants_needs_none_named(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(good_but())

    assert load(tmp_path / "one.yaml").command(["default"], 3) == f"sim run {tmp_path / 'one.yaml'} --seed 3"


def test_what_no_command_can_run_has_none(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(good_but())

    assert loads(TWO).command(["pinned"], 7) == ""
    assert load(tmp_path / "one.yaml", policies={"mine": lambda replicas: replicas[0]}).command(["mine"], 7) == ""
