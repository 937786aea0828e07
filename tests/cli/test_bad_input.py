"""Mistakes of the user: exit code 2, a message with place and remedy, no traceback, nothing run and nothing written."""

from pathlib import Path

import pytest

from tests.cli.command import BURST, SMALL, sim, written

FILES = {
    "unknown key": (SMALL + "sede: 1\n", ":10:1: sede: found an unknown key"),
    "duplicate key": (SMALL + "seed: 1\n", ":10:1: seed: found the key twice"),
    "not a number": (SMALL.replace("{name: thor}", "{name: thor, speed: .nan}"), ":6:44: nodes[1].speed: found '.nan'"),
    "negative rate": (
        SMALL.replace(BURST, "kind: poisson, model: qwen3, rate: -1/s"),
        ":8:48: workload[0].rate: '-1/s' is not a rate",
    ),
    "missing node": (SMALL.replace("{node: thor}", "{node: tor}"), ":7:78: models[0].replicas[1].node: 'tor' is not"),
    "nest of brackets": ("name: " + "[" * 60_000, ":1:26: found more than 20 levels of nesting"),
    "alias bomb": ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", ":1:4: found the anchor '&a'"),
    "missing trace": (
        SMALL.replace(BURST, "kind: trace, model: qwen3, file: t.csv"),
        ":8:46: workload[0].file: 't.csv' does not exist",
    ),
    "no unit": (SMALL.replace("duration: 1m", "duration: 60"), ":5:11: duration: 60 has no unit; write 30s, 500ms or"),
    "unknown variant in expect": (
        SMALL + "expect: [{variant: fxed, metric: fairness.jain, min: 1}]\n",
        ":10:20: expect[0].variant: 'fxed' is not a variant",
    ),
    "unknown metric": (SMALL + "expect: [{metric: fairnes.jain, min: 1}]\n", "did you mean 'fairness.jain'?"),
    "empty": ("", ":1:1: found an empty file"),
    "binary": ("\x00\x01", ":1:1: found the control character"),
    "syntax": ("name: [", ":1:8: found the end of the file where a value has to stand"),
    "python object": ("name: !!python/object/apply:os.system [ls]\n", ":1:7: found the tag"),
    "too many requests": (SMALL.replace("requests: 4", "requests: 10000001"), "allowed: at most 10000000"),
}

OPTIONS = {
    "unknown option": (["--frob"], "No such option: --frob"),
    "negative seed": (["--seed", "-1"], "--seed"),
    "seed beyond 64 bits": (["--seed", str(2**64)], "--seed"),
    "seed that is no number": (["--seed", "one"], "--seed"),
    "no repetitions": (["--reps", "0"], "--reps"),
    "repetitions without number": (["--reps", "1000000000"], "10000"),
    "allowed folder that there is not": (
        ["--allow-dir", "none"],
        "--allow-dir: 'none' is not a folder; allowed: a folder that exists",
    ),
    "set without end": (["--set", ".".join("a" * 5000) + "=1"], "--set: found a key of 5,000 steps; allowed: 20"),
    "seeds that run out": (["--seed", str(2**64 - 1), "--reps", "2"], "2 seeds go beyond the last one"),
    "unknown variant": (
        ["--variant", "fxed"],
        "small.yaml: no variant 'fxed'; allowed: pinned, fixed; did you mean 'fixed'?",
    ),
    "set without a value": (["--set", "seed"], "--set: found 'seed'; allowed: KEY=VALUE, such as router.probe.ttl=5s"),
    "set of an unknown key": (["--set", "router.prob.ttl=5s"], "--set router.prob.ttl: "),
    "set of a bad value": (["--set", "router.probe.ttl=5"], "--set router.probe.ttl: 5 has no unit"),
}


@pytest.mark.parametrize(("text", "message"), FILES.values(), ids=FILES)
def test_a_bad_file_is_refused_at_its_place_with_what_is_allowed(tmp_path: Path, text: str, message: str) -> None:
    path, out = tmp_path / "bad.yaml", tmp_path / "out"
    path.write_text(text)

    done = sim("run", path, "--out", out)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{path}:")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not out.exists()


@pytest.mark.parametrize(("options", "message"), OPTIONS.values(), ids=OPTIONS)
def test_a_bad_option_is_refused_with_the_remedy(tmp_path: Path, options: list[str], message: str) -> None:
    path, out = tmp_path / "small.yaml", tmp_path / "out"
    path.write_text(SMALL)

    done = sim("run", path, "--out", out, *options)

    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not out.exists()


def test_all_mistakes_in_all_files_are_told_at_once_and_nothing_runs(tmp_path: Path) -> None:
    for name, text in {"a": SMALL + "x: 1\n", "b": SMALL, "c": SMALL.replace("seed: 3", "seed: -3")}.items():
        (tmp_path / f"{name}.yaml").write_text(text)

    done = sim("run", "a.yaml", "none.yaml", "b.yaml", "c.yaml", "--variant", "pined", folder=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert [line.split(":")[0] for line in lines] == ["a.yaml", "none.yaml", "b.yaml", "c.yaml"]


def test_names_stand_in_messages_as_they_are_written_with_escapes_only_for_what_cannot_be_seen(tmp_path: Path) -> None:
    (tmp_path / "größe é.yaml").write_text(SMALL.replace("{node: thor}", '{node: "thör\u200b"}'))

    done = sim("run", "größe é.yaml", folder=tmp_path)

    assert done.stderr.startswith("größe é.yaml:7:78: models[0].replicas[1].node: 'thör\\u200b' is not a node")


def test_a_mistake_in_a_set_value_is_told_once_for_several_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(SMALL)

    done = sim("run", "a.yaml", "b.yaml", "--set", "seed=x", folder=tmp_path)

    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [[], ["run"]], ids=["sim", "sim run"])
def test_without_arguments_the_help_is_shown(arguments: list[str]) -> None:
    done = sim(*arguments)

    assert done.returncode == 2
    assert "Usage: sim" in done.stdout + done.stderr


def test_an_out_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    path, out = tmp_path / "small.yaml", tmp_path / "out"
    path.write_text(SMALL)
    out.mkdir()
    (out / "mine.txt").write_text("mine")

    done = sim("run", path, "--out", out)

    assert (done.returncode, done.stdout) == (2, "")
    assert "is not empty; allowed: a new or empty folder, or --overwrite" in done.stderr
    assert written(out) == ["mine.txt"]


def test_an_out_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    path, out = tmp_path / "small.yaml", tmp_path / "out"
    path.write_text(SMALL)
    out.write_text("mine")

    done = sim("run", path, "--out", out, "--overwrite")

    assert (done.returncode, out.read_text()) == (2, "mine")
    assert "is not a folder" in done.stderr


def test_two_scenarios_that_would_share_an_out_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SMALL.replace("name: small", "name: a/b"))
    (tmp_path / "b.yaml").write_text(SMALL.replace("name: small", "name: a:b"))

    done = sim("run", "a.yaml", "b.yaml", "--out", "out", folder=tmp_path)

    assert done.returncode == 2
    assert "a.yaml and b.yaml would share a folder" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_file_in_place_of_a_command_is_refused_with_the_command_that_runs_it(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)

    done = sim("small.yaml", folder=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert "'small.yaml' is no command; run it with: sim run small.yaml" in done.stderr
