"""The page: one HTML file that opens from disk, loads nothing and sends nothing.

Its own rule (Content-Security-Policy) forbids every load, and every script but those that are written here. So a
scenario's names and texts, which are the user's, stay texts whatever they look like.
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sim import __version__
from sim.measure.changes.first_difference import Parting
from sim.report.page.packed import Packed, pack
from sim.report.page.section import Section
from sim.report.page.timeline import Timeline
from sim.report.parting import parting_lines
from sim.report.plots.look.palette import replica_colours

_SCRIPTS = ("columns", "run", "lanes", "painter", "story", "pointed", "timeline", "page")
"""Ours, in the order in which each needs those before it."""


class Pair(NamedTuple):
    """Two timelines, by their numbers, and where their runs part; None if they made the same decisions."""

    first: int
    second: int
    parting: Parting | None


def page_html(sections: Sequence[Section], runs: Sequence[Timeline], pairs: Sequence[Pair]) -> str:
    """Return the page: a section for each scenario, and then the timeline of the runs.

    Of every two runs that the user may set one below the other, `pairs` tells where they part. Equal input gives an
    equal page.
    """
    scripts = [_library(), _our_scripts()]
    packed = [pack(run.columns) for run in runs]
    environment = Environment(
        loader=PackageLoader(__package__, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        version=__version__,
        sections=sections,
        runs=runs,
        packed=packed,
        content=_json(_content(runs, packed, pairs)),
        style=Markup(_asset("page.css")),
        scripts=[Markup(script) for script in scripts],
        hashes=Markup(" ".join(map(_hash, scripts))),
    )


def _content(runs: Sequence[Timeline], packed: Sequence[Packed], pairs: Sequence[Pair]) -> dict[str, Any]:
    """Return what the scripts read, but for the columns."""
    return {
        "runs": [
            {"title": run.title, "names": run.names, "index": columns.index}
            for run, columns in zip(runs, packed, strict=True)
        ],
        "partings": [_parting(pair, runs) for pair in pairs],
        "colours": replica_colours(lane["label"] for run in runs for lane in run.names["lanes"]),
    }


def _parting(pair: Pair, runs: Sequence[Timeline]) -> dict[str, Any]:
    parting = pair.parting
    return {
        "runs": [pair.first, pair.second],
        "lines": list(_parting_lines(parting, runs[pair.first], runs[pair.second])),
        "t": parting and parting.document["t_s"],
        "request": parting and parting.request,
    }


def _parting_lines(parting: Parting | None, one: Timeline, other: Timeline) -> Iterator[str]:
    if one.digest == other.digest:
        yield f"{one.variant} and {other.variant} decided identically"
    else:
        yield from parting_lines(parting, one.variant, other.variant)


def _library() -> str:
    return f"/*\n{_asset('vendor/LICENSE')}*/\n{_asset('vendor/d3.js')}"


def _our_scripts() -> str:
    parts = "\n".join(_asset(f"script/{name}.js") for name in _SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}}})();\n'


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"


def _json(content: dict[str, Any]) -> Markup:
    """Return JSON in which nothing can end the element that holds it."""
    return Markup(json.dumps(content, allow_nan=False).replace("<", "\\u003c"))
