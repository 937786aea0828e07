"""A complete scenario as YAML text: every default written out, in units people use."""

from pathlib import Path
from typing import Any

import yaml

from sim.scenario.spec.schema import Scenario, with_policies
from sim.scenario.text.source import resolve_plain


class _Dumper(yaml.SafeDumper):
    """Quotes each text that our reader would take for something else; YAML's own rules differ from ours."""


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    style = None if isinstance(resolve_plain(value), str) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def dump(scenario: Scenario, folder: Path | None = None) -> str:
    """Return YAML that `load` reads back to an equal scenario; a trace file stays named as it was.

    Policies in files of their own are named as they can be found from `folder`, where the text is to lie.
    """
    if folder is not None:
        scenario = with_policies(scenario, lambda policy, _: policy.seen_from(folder))
    document = _plain(scenario.model_dump(by_alias=True, exclude_none=True))
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, (list, tuple)) else value
