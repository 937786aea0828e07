"""A recording as a file: one JSON document a line, the first about the run, each other one line of a transcript."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sim.live.recording.lines import Line
from sim.live.recording.script import Script
from sim.scenario import NO_METRICS, Scenario, ScenarioError, dump, loads
from sim.scenario.text.errors import escaped, found
from sim.scenario.text.files import UnreadableFile, read_regular

MOST_BYTES = 256 << 20
MOST_FRONTENDS = 1024

ALLOWED = "allowed: a file that `sim live --record` has written"


class BadRecording(Exception):
    """The file cannot be replayed; the message says where, what was found and what is allowed."""


class Header(BaseModel):
    """What the first line says of the run."""

    model_config = ConfigDict(extra="forbid", strict=True)

    format: Literal["sim live recording"] = "sim live recording"
    version: Literal[4] = 4
    sim: str
    """Version of the program that wrote it."""
    scenario: str
    """The complete scenario, as YAML."""
    variant: str
    seed: int
    time_scale: float
    frontends: int = Field(ge=1, le=MOST_FRONTENDS)


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded live run."""

    header: Header
    scenario: Scenario
    scripts: list[Script]
    """One for each frontend."""


_NUMBERED_LINE = TypeAdapter(tuple[int, Line])


def write_recording(
    path: Path,
    scenario: Scenario,
    variant: str,
    time_scale: float,
    transcripts: Sequence[Sequence[Line]],
    sim_version: str,
) -> None:
    """Write the recording of a run, whole or not at all. `transcripts` has one for each frontend. Raises OSError."""
    header = Header(
        sim=sim_version,
        scenario=dump(scenario, path.parent),
        variant=variant,
        seed=scenario.seed,
        time_scale=time_scale,
        frontends=len(transcripts),
    )
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("x", encoding="utf-8") as file:
            file.writelines(_written(header, transcripts))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _written(header: Header, transcripts: Sequence[Sequence[Line]]) -> Iterator[str]:
    yield header.model_dump_json() + "\n"
    for frontend, transcript in enumerate(transcripts):
        for line in transcript:
            yield json.dumps([frontend, line]) + "\n"


def read_recording(path: Path, *, allow_code: bool = False) -> Recording:
    """Read a recording; BadRecording if it is not one, or has been damaged.

    Without `allow_code` one whose policy is code of the user's own is refused.
    """
    name = escaped(str(path))
    try:
        content = read_regular(path, MOST_BYTES)
    except UnreadableFile as error:
        raise BadRecording(f"{name}: {error}") from None
    first, *others = content.splitlines() or [b""]
    header = _read_header(name, first)
    scripts = [Script() for _ in range(header.frontends)]
    for number, text in enumerate(others, 2):
        try:
            frontend, line = _NUMBERED_LINE.validate_json(text, strict=True)
            if not 0 <= frontend < len(scripts):
                raise ValueError(f"there is no frontend {frontend}")
            scripts[frontend].add(line)
        except ValueError as error:
            raise BadRecording(f"{name}:{number}: {_reason(error)}; {ALLOWED}") from None
    return Recording(header, _read_scenario(name, header, path.parent, allow_code), scripts)


def _read_header(name: str, text: bytes) -> Header:
    try:
        return Header.model_validate_json(text)
    except ValidationError as error:
        raise BadRecording(f"{name}:1: {_reason(error)}; {ALLOWED}") from None


def _read_scenario(name: str, header: Header, folder: Path, allow_code: bool) -> Scenario:
    try:
        loaded = loads(header.scenario, folder=folder, metrics=NO_METRICS, allow_code=allow_code)
        (scenario,) = loaded.variants.values()
    except ScenarioError as error:
        raise BadRecording(f"{name}:1: its scenario cannot be used: {error}") from None
    except ValueError:
        raise BadRecording(f"{name}:1: its scenario has several variants; {ALLOWED}") from None
    return scenario


def _reason(error: ValueError) -> str:
    """Return the first fault, with what was found where."""
    if not isinstance(error, ValidationError):
        return str(error)
    fault = error.errors(include_url=False)[0]
    place = "".join(f"{step}: " for step in fault["loc"])
    return f"{place}{fault['msg'].lower()}, found {found(fault['input'])}"
