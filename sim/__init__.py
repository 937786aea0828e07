"""A deterministic simulator of a distributed LLM-inference router, in which the routing code is real."""

from typing import TYPE_CHECKING

from sim.lazy_names import lazy_names

__version__ = "0.1.0"

__all__ = [
    "CheckResults",
    "Comparison",
    "Difference",
    "NoSuchMetric",
    "NoSuchRegression",
    "NoSuchRequest",
    "NoSuchRow",
    "NoSuchVariant",
    "Observer",
    "Results",
    "RunResult",
    "RunView",
    "ScenarioError",
    "ScenarioFile",
    "Verdict",
    "Window",
    "check",
    "compare",
    "dump",
    "explain",
    "judge",
    "load",
    "loads",
    "read",
    "run",
    "run_all",
]

if TYPE_CHECKING:
    from sim.measure.differences import Difference
    from sim.measure.expectations import Verdict
    from sim.measure.result import RunResult
    from sim.measure.saved.run_folder import read
    from sim.measure.window import Window
    from sim.observer import Observer, RunView
    from sim.scenario import ScenarioError, ScenarioFile, dump
    from sim.study.compare import compare
    from sim.study.comparison import Comparison
    from sim.study.errors import NoSuchMetric, NoSuchRegression, NoSuchRequest, NoSuchRow, NoSuchVariant
    from sim.study.explain.stories import explain
    from sim.study.judge import judge
    from sim.study.regressions.check import check
    from sim.study.regressions.results import CheckResults
    from sim.study.results import Results, run_all
    from sim.study.run import run
    from sim.study.scenarios import load, loads

_HOMES = {
    "CheckResults": "sim.study.regressions.results",
    "Comparison": "sim.study.comparison",
    "Difference": "sim.measure.differences",
    "RunResult": "sim.measure.result",
    "Verdict": "sim.measure.expectations",
    "Window": "sim.measure.window",
    "check": "sim.study.regressions.check",
    "compare": "sim.study.compare",
    "read": "sim.measure.saved.run_folder",
    **dict.fromkeys(
        ("NoSuchMetric", "NoSuchRegression", "NoSuchRequest", "NoSuchRow", "NoSuchVariant"), "sim.study.errors"
    ),
    **dict.fromkeys(("Observer", "RunView"), "sim.observer"),
    **dict.fromkeys(("ScenarioError", "ScenarioFile", "dump"), "sim.scenario"),
    **dict.fromkeys(("Results", "run_all"), "sim.study.results"),
    "explain": "sim.study.explain.stories",
    "judge": "sim.study.judge",
    "run": "sim.study.run",
    **dict.fromkeys(("load", "loads"), "sim.study.scenarios"),
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
