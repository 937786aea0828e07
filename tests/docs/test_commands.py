"""The commands on the pages exist, with the options that they are given."""

import re
import shlex
from collections.abc import Iterator

import pytest

from tests.docs.pages import PAGES, ROOT, text
from tests.docs.reference.commands import commands

CALL = re.compile(r"^(?:    |\$ |)(?:\.venv/bin/)?(sim [a-z].*)$|`(sim [a-z-]+[^`]*)`", re.MULTILINE)


def calls() -> Iterator[tuple[str, str]]:
    """Every call of `sim` on every page, without what follows it in the shell."""
    for path in PAGES:
        for of_a_line, within_one in CALL.findall(text(path)):
            yield str(path.relative_to(ROOT)), re.split(r"\s(?:#|>|>>|\||&&)\s", of_a_line or within_one)[0]


def unknown(call: str) -> list[str]:
    """The options of a call that its command does not have; the command itself, if there is none."""
    _, name, *words = shlex.split(call)
    if name not in commands():
        return [name]
    known = {option for parameter in commands()[name].params for option in parameter.opts} | {"--help", "-h"}
    return [word for word in words if word.startswith("-") and not word[1:].isdigit() and word not in known]


@pytest.mark.parametrize(("page", "call"), sorted(set(calls())), ids=lambda value: value)
def test_a_command_on_a_page_has_the_options_it_is_given(page: str, call: str) -> None:
    assert unknown(call) == [], page


@pytest.mark.parametrize(("call", "found"), [("sim rnu x.yaml", ["rnu"]), ("sim run x.yaml --sede 3", ["--sede"])])
def test_a_mistake_in_a_command_is_seen(call: str, found: list[str]) -> None:
    assert unknown(call) == found


def test_every_command_is_shown_on_a_page() -> None:
    shown = {call.split()[1] for _, call in calls()}

    assert set(commands()) - shown == set()
