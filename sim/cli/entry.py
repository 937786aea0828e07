"""The start and the only end of the command: one exit code, and never a traceback for a user's mistake."""

import sys
from typing import NoReturn

from sim.cli.process.exits import BadInput, ExitCode, OutputClosed
from sim.cli.process.interruption import leave_on_signals
from sim.cli.process.output import abandon, accept_any_text, complain, require_output
from sim.measure.saved.staged_files import CannotWrite
from sim.routing.clients import TooManyRequests
from sim.routing.policies.port import PolicyError
from sim.simulated.kernel.livelock import Livelock
from sim.study.errors import NotTheSameRun, WorkerDied


def main() -> NoReturn:
    """Run the command line and exit with one of the codes of `ExitCode`; a signal may end it earlier."""
    leave_on_signals()
    sys.exit(_outcome())


def _outcome() -> int:
    """Run the command and return its exit code. Usage errors exit from within, with code 2."""
    try:
        require_output()
        accept_any_text()
        # Imported here, so that Ctrl-C or an error during the imports is handled like any other.
        from sim.cli.app import app

        app(prog_name="sim")
    except (BadInput, PolicyError, Livelock, TooManyRequests) as error:
        complain(str(error))
        return ExitCode.BAD_INPUT
    except NotTheSameRun as error:
        complain(str(error))
        return ExitCode.NOT_THE_SAME
    except OutputClosed:
        abandon()
        return ExitCode.OUTPUT_CLOSED
    except (CannotWrite, WorkerDied) as error:
        abandon()
        complain(f"sim: {error}")
        return ExitCode.INTERNAL
    except MemoryError:
        complain("sim: out of memory; fewer requests, fewer variants at a time or fewer jobs need less")
        return ExitCode.INTERNAL
    except Exception as error:
        from sim.cli.process.crash import report_crash

        complain(report_crash(error))
        return ExitCode.INTERNAL
    return ExitCode.HELD
