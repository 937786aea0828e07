"""`sim calibrate`: measure this machine, and print the result as a piece of a scenario file."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from sim import __version__
from sim.cli.process.exits import BadInput, ExitCode
from sim.cli.process.new_file import check_new_file
from sim.cli.process.output import complain, emit
from sim.cli.registry_option import registry_url, scratch_folder
from sim.live.cluster.calibrate import Effort, calibrate
from sim.live.cluster.calibration import MEANING, PERCENTILES, Calibration, machine_facts
from sim.live.registry.database import BadRegistryUrl
from sim.measure.document import to_json
from sim.measure.saved.staged_files import StagedFiles
from sim.routing.errors import CallError

UNDER_MODEL = "backend."
"""Prefix of values that belong under a model. The fragment leaves their place to the reader."""


def calibrate_command(registry: str, out: Path | None, calls: int, *, as_json: bool) -> ExitCode:
    """Measure and print. Raises BadInput if the registry or `out` cannot be used, CannotWrite afterwards."""
    if out is not None:
        check_new_file("--out", out)
    complain("sim: measuring for some seconds; whatever else the machine does now shows in the figures")
    try:
        with ExitStack() as stack:
            url = registry_url(registry, scratch_folder("sim-calibrate-", stack), stack)
            measured = asyncio.run(calibrate(url, Effort.of_calls(calls)))
    except (CallError, BadRegistryUrl) as error:
        raise BadInput(f"--registry {registry}: {error}") from None
    text = fragment(measured, machine_facts())
    if out is not None:
        with StagedFiles(out.parent) as files:
            files.add_text(out.name, text)
    emit(f"{to_json(_document(measured))}\n" if as_json else text)
    return ExitCode.HELD


def fragment(measured: Calibration, machine: Mapping[str, str | int]) -> str:
    """Return the values as YAML for a scenario file, with their sources as comments."""
    return "\n".join([*_comments(measured, machine), *_values(measured.settings()), ""])


def _comments(measured: Calibration, machine: Mapping[str, str | int]) -> Iterator[str]:
    facts = f"{machine['system']} {machine['machine']}, {machine['cpus']} CPUs, Python {machine['python']}"
    yield f"# Measured by sim {__version__} on {facts}, {measured.database}."
    yield "#"
    heads = "".join(f"{f'p{percentile}':>10}" for percentile in PERCENTILES)
    yield f"# {'milliseconds':<32}{heads}{'count':>8}"
    for name, sample in measured.samples().items():
        cells = "".join(f"{sample.percentile_ns(percentile) / 1e6:>10.3f}" for percentile in PERCENTILES)
        yield f"# {MEANING[name]:<32}{cells}{len(sample.durations_ns):>8}"
    yield "#"
    yield "# Or on the command line:"
    for place, value in measured.settings().items():
        prefix = "models.0." if place.startswith(UNDER_MODEL) else ""
        yield f"#   --set {prefix}{place}={value}"


def _values(settings: Mapping[str, str]) -> Iterator[str]:
    sections: dict[str, list[str]] = {}
    for place, value in settings.items():
        section, _, key = place.partition(".")
        sections.setdefault(section, []).append(f"{key}: {value}")
    for section, entries in sections.items():
        line = f"{section}: {{{', '.join(entries)}}}"
        yield from ("# Under each model:", f"#   {line}") if f"{section}.".startswith(UNDER_MODEL) else (line,)


def _document(measured: Calibration) -> dict[str, object]:
    return {
        "sim": __version__,
        "machine": machine_facts(),
        "database": measured.database,
        "settings": measured.settings(),
        "measured": measured.figures(),
    }
