"""`sim check-protocol`: start a program that picks, and tell what of the protocol it keeps."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from os import X_OK, access
from pathlib import Path
from typing import Any

from rich.text import Text

from sim.cli.process.console import show
from sim.cli.process.exits import BadInput, ExitCode
from sim.cli.process.output import emit
from sim.measure.document import to_json
from sim.programs.conformance import Finding, findings
from sim.programs.process import Program
from sim.report.marks import STYLES, UNICODE, Mark


def check_protocol_command(path: Path, parameters: str, *, as_json: bool) -> ExitCode:
    """Check the program and return the exit code. Raises BadInput if there is none to be started."""
    own_keys = _own_keys(parameters)
    if not path.is_file():
        raise BadInput(f"{path} is no file; allowed: a program, as in sim check-protocol ./my_picker")
    if not access(path, X_OK):
        raise BadInput(f"{path} may not be executed; allowed: a file after chmod +x")
    found: list[Finding] = []
    for finding in findings(Program(path.parent.resolve() / path.name), own_keys):
        found.append(finding)
        if not as_json:
            show(_line(finding))
    if as_json:
        emit(f"{to_json({'program': str(path), 'rows': list(map(asdict, found))})}\n")
    return ExitCode.BROKEN if any(one.kept is False for one in found) else ExitCode.HELD


def _own_keys(text: str) -> Mapping[str, Any]:
    try:
        keys = json.loads(text)
    except ValueError as error:
        raise BadInput(f"--parameters: found {text!r}, which is not JSON: {error}") from None
    if not isinstance(keys, dict):
        raise BadInput(f"--parameters: found {text!r}; allowed: a JSON object, such as '{{\"d\": 3}}'")
    return keys


def _line(finding: Finding) -> Text:
    mark = {True: Mark.HELD, False: Mark.FAILED, None: Mark.NONE}[finding.kept]
    remark = f": {finding.remark}" if finding.remark else ""
    return Text(f"{UNICODE.marks[mark]} {finding.demand}{remark}", STYLES[mark])
