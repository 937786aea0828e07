"""`sim replay`: replay a recorded live run, and report where the routing code first decides otherwise."""

import json
from pathlib import Path
from typing import Any

from sim.cli.process.exits import BadInput, ExitCode
from sim.cli.process.output import complain, emit
from sim.live.recording.file import BadRecording, Recording, read_recording
from sim.live.recording.lines import described
from sim.study.replay.replay import Difference, ReplayResult, replay


def replay_command(path: Path, *, as_json: bool, allow_code: bool) -> ExitCode:
    """Replay the file, show the result and return the exit code. Raises BadInput if it is not a recording."""
    try:
        recording = read_recording(path, allow_code=allow_code)
    except BadRecording as error:
        raise BadInput(str(error)) from None
    result = replay(recording)
    if as_json:
        emit(json.dumps(_document(result), indent=2, ensure_ascii=False) + "\n")
    else:
        emit(_text(recording, result))
    if not result.decisions:
        complain(f"{path}: no request arrived in the recorded run: nothing was checked")
        return ExitCode.NOTHING
    return ExitCode.HELD if result.identical else ExitCode.BROKEN


def _document(result: ReplayResult) -> dict[str, Any]:
    difference = result.first_difference
    return {
        "decisions": result.decisions,
        "identical": result.identical,
        "first_difference": None if difference is None else _difference(difference),
    }


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "frontend": difference.frontend,
        "request": difference.line.request,
        "t_s": difference.line.t_ns / 1e9,
        "recorded": described(difference.recorded),
        "replayed": described(difference.replayed),
    }


def _text(recording: Recording, result: ReplayResult) -> str:
    header, difference = recording.header, result.first_difference
    run = f"{recording.scenario.name}, variant {header.variant}, seed {header.seed}"
    if difference is None:
        return f"{run}: the decisions on all {result.decisions} requests are identical\n"
    line = difference.line
    return (
        f"{run}: not identical; of {result.decisions} requests, the first difference is in request {line.request} "
        f"of frontend {difference.frontend}, {line.t_ns / 1e9:.6f} s after the start\n"
        f"  recorded: {described(difference.recorded)}\n"
        f"  replayed: {described(difference.replayed)}\n"
    )
