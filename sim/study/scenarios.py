"""Scenario files as studies read them: an expectation may ask for whatever the catalogue of metrics has."""

from collections.abc import Sequence
from pathlib import Path

from sim import scenario
from sim.measure.catalogue import VOCABULARY
from sim.scenario import ScenarioFile


def load(path: str | Path, sets: Sequence[str] = (), allow_dirs: Sequence[str | Path] = ()) -> ScenarioFile:
    """Read a scenario file; ScenarioError lists everything that is wrong with it.

    `sets` override single values in every variant, as in `router.probe.ttl=5s`. Trace files are looked for below the
    scenario's folder, then below each of `allow_dirs`, and have to lie in one of them.
    """
    return scenario.load(path, sets, allow_dirs, metrics=VOCABULARY)


def loads(text: str, sets: Sequence[str] = (), folder: str | Path = ".") -> ScenarioFile:
    """Read a scenario from a text, as `load` does from a file; trace files are looked for below `folder`."""
    return scenario.loads(text, sets, folder, metrics=VOCABULARY)
