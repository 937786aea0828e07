"""How the requests of a test's frontend are counted where the test is about something else."""

from sim.routing.ports import FrontendPorts
from sim.routing.request_path.route import REQUEST_SCOPE, ROW_GOES, Counting, fail_open


def counted(ports: FrontendPorts) -> Counting:
    """Return the counting of `hardened`: nothing that a request leaves behind outlasts it."""
    return Counting(ports, REQUEST_SCOPE, fail_open, ROW_GOES)
