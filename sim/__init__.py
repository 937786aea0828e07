"""A deterministic simulator of a distributed LLM-inference router, in which the routing code is real."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "NoSuchVariant",
    "Observer",
    "RunResult",
    "RunView",
    "ScenarioError",
    "ScenarioFile",
    "Verdict",
    "Window",
    "dump",
    "judge",
    "load",
    "loads",
    "run",
]

if TYPE_CHECKING:
    from sim.measure.expectations import Verdict
    from sim.measure.window import Window
    from sim.observer import Observer, RunView
    from sim.scenario import ScenarioError, ScenarioFile, dump
    from sim.study.run import NoSuchVariant, RunResult, judge, run
    from sim.study.scenarios import load, loads

_HOMES = {
    "Verdict": "sim.measure.expectations",
    "Window": "sim.measure.window",
    **dict.fromkeys(("Observer", "RunView"), "sim.observer"),
    **dict.fromkeys(("ScenarioError", "ScenarioFile", "dump"), "sim.scenario"),
    **dict.fromkeys(("load", "loads"), "sim.study.scenarios"),
    **dict.fromkeys(("NoSuchVariant", "RunResult", "judge", "run"), "sim.study.run"),
}


def __getattr__(name: str) -> Any:
    """Import a name of the public interface when it is first asked for, so that `sim --help` need not wait for it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'sim' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List the public interface, whether or not it was imported."""
    return sorted({*globals(), *__all__})
