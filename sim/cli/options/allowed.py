"""What a scenario may use beside its own file: options that most commands have."""

from pathlib import Path
from typing import Annotated

import typer

AllowDirs = Annotated[
    list[Path] | None,
    typer.Option(
        "--allow-dir",
        metavar="DIR",
        help="Look for trace files here too, not only beside the scenario; repeatable.",
    ),
]
AllowCode = Annotated[
    bool,
    typer.Option(
        "--allow-code",
        help="Let the scenario's policy be code of your own: module:name, ./file.py:name or exec:./program.",
    ),
]
