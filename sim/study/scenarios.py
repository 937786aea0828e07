"""Scenario files as studies read them: an expectation may ask for whatever the catalogue of metrics has."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sim import scenario
from sim.measure.catalogue import VOCABULARY
from sim.scenario import ScenarioFile


def load(
    path: str | Path,
    sets: Sequence[str] = (),
    allow_dirs: Sequence[str | Path] = (),
    *,
    allow_code: bool = False,
    policies: Mapping[str, object] | None = None,
) -> ScenarioFile:
    """Read a scenario file; ScenarioError lists everything that is wrong with it.

    `sets` override single values in every variant, as in `router.probe.ttl=5s`. Trace files are looked for below the
    scenario's folder, then below each of `allow_dirs`, and have to lie in one of them. With `allow_code` a router's
    policy may be `module:name` or `./file.py:name`, which is imported or run.

    `policies` are functions, classes or objects that a scenario may name as its policy. One that no variant names gets
    a variant of its own, of the same name: the file's base, with this policy.
    """
    return scenario.load(path, sets, allow_dirs, metrics=VOCABULARY, allow_code=allow_code, policies=policies)


def loads(
    text: str,
    sets: Sequence[str] = (),
    folder: str | Path = ".",
    *,
    allow_code: bool = False,
    policies: Mapping[str, object] | None = None,
) -> ScenarioFile:
    """Read a scenario from a text, as `load` does from a file; files that it names are looked for below `folder`."""
    return scenario.loads(text, sets, folder, metrics=VOCABULARY, allow_code=allow_code, policies=policies)
