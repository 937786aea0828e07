"""How the requests of a test's frontend are counted where the test is about something else."""

from sim.routing.ports import FrontendPorts
from sim.routing.request_path.decrements import IGNORED
from sim.routing.request_path.route import REQUEST_SCOPE, ROW_GOES, Counting, fail_open


def counted(ports: FrontendPorts) -> Counting:
    """Return the counting of `hardened`, without its further attempts: nothing that a request leaves outlasts it."""
    return Counting(ports, REQUEST_SCOPE, fail_open, ROW_GOES, IGNORED)
