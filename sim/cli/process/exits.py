"""How the command ends: its exit codes, and the exceptions that stand for an early end."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the exit code says. Ends by a signal add its number to 128: 130 for Ctrl-C, 143 for a TERM signal."""

    HELD = 0
    """Everything ran, and every expectation that could be checked held."""
    BROKEN = 1
    """An expectation failed."""
    BAD_INPUT = 2
    """The command line or a scenario file is wrong. Unless that showed only in a run, nothing ran or was written."""
    NOT_THE_SAME = 3
    """A run that was made twice decided otherwise the second time."""
    INTERNAL = 4
    """Results could not be written, a process of the run was lost, or the program itself is at fault."""
    NOTHING = 5
    """Nothing was run or checked."""
    OUTPUT_CLOSED = 141
    """The reader of the output left (`sim ... | head`): 128 and the number of SIGPIPE, as shells report it."""


class BadInput(Exception):
    """The user's request cannot be carried out. The message has a line for each reason."""


class OutputClosed(Exception):
    """Nobody reads standard output any more. It is no OSError, because the option parser would handle that."""
