"""The report that the user gets, and can send on, when the program itself is at fault."""

import platform
import sys
import tempfile
import traceback

from sim import __version__


def report_crash(error: Exception) -> str:
    """Write a report to a new temporary file and return a message that names it."""
    report = "".join(
        [
            f"sim {__version__}, Python {platform.python_version()}, {platform.platform()}\n",
            f"arguments: {sys.argv[1:]}\n\n",
            *traceback.format_exception(error),
        ]
    )
    summary = f"sim: internal error: {type(error).__name__}: {error}\nThis is a bug in sim, not in your scenario."
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", errors="backslashreplace", prefix="sim-report-", suffix=".txt", delete=False
        ) as file:
            file.write(report)
    except OSError:
        return f"{summary} Please report it with what follows.\n\n{report}"
    return f"{summary} Please report it, with the file {file.name}"
