"""Recorders of runs that tests play by hand."""

from collections.abc import Callable

from sim import loads
from sim.measure.recording.recorder import Recorder
from sim.observer import RunView
from sim.routing.ports import Clock
from sim.scenario import make_plan

NOTHING_PLANNED = make_plan(
    loads(
        "name: by-hand\nduration: 1s\nnodes: [{name: a}]\nmodels: [{name: m, service: {mean: 1s}}]\n"
        "control_plane: {heartbeat: 1s}\nworkload: []\n"
    ).variants["default"],
    seed=0,
)


def recorder_by(clock: Clock, is_alive: Callable[[str], bool] = bool) -> Recorder:
    """Return a recorder that has begun; any address that is not empty is alive unless told otherwise."""
    begun = Recorder()
    begun.begin(RunView(clock, is_alive, NOTHING_PLANNED))
    return begun
