"""What the YAML parser's errors mean to whoever wrote the file: its own words are about tokens and blocks."""

from collections.abc import Callable
from typing import NamedTuple

from yaml import Mark, MarkedYAMLError

from sim.scenario.text.errors import escaped

Place = tuple[int, int]
"""Line and column, from 1."""


class SyntaxFault(NamedTuple):
    """Where the file cannot be read on, and why."""

    place: Place
    text: str


def in_plain_words(error: MarkedYAMLError) -> SyntaxFault:
    """Return the fault; one that the parser has seldom is told in the parser's own words."""
    problem = error.problem or "syntax error"
    here = error.problem_mark or error.context_mark
    since = error.context_mark or here
    if here is None or since is None:
        return SyntaxFault((1, 1), f"{escaped(problem)}; {_PLAIN_YAML}")
    for beginning, explain in _BY_BEGINNING.items():
        if problem.startswith(beginning):
            return explain(problem, here, since)
    return SyntaxFault(_place(here), f"{escaped(problem)}; {_PLAIN_YAML}")


_PLAIN_YAML = "allowed: mappings, lists and plain values, indented by spaces"


def _place(mark: Mark) -> Place:
    return (mark.line + 1, mark.column + 1)


def _of_a_misfit(problem: str, here: Mark, since: Mark) -> SyntaxFault:
    token = problem.rpartition("found ")[2]
    if token in ("'}'", "']'"):
        text = f"found a {token} that nothing opens; allowed: quotes around a value that holds one"
    elif token == "'<scalar>'":
        text = "found more text after the end of a value; allowed: quotes around all of it"
    elif here.column != since.column:
        text = f"found an indentation of {here.column}, which fits no line above; allowed: that of its neighbours"
    elif token == "'-'":
        text = f"found an entry of a list among keys; allowed: a key, as in line {since.line + 1}"
    else:
        text = f"found no '-' before an entry of a list; allowed: one, as in line {since.line + 1}"
    return SyntaxFault(_place(here), text)


def _of_a_colon(_problem: str, here: Mark, _since: Mark) -> SyntaxFault:
    remedy = "quotes around such a value, keys in line with their neighbours, a space after the ':' of a key"
    return SyntaxFault(_place(here), f"found a ':' inside a value; allowed: {remedy}")


def _of_no_colon(_problem: str, _here: Mark, since: Mark) -> SyntaxFault:
    return SyntaxFault(_place(since), "found a line without ': '; allowed: key: value, with a space after the ':'")


def _of_a_character(problem: str, here: Mark, _since: Mark) -> SyntaxFault:
    character = problem.removeprefix("found character ").partition(" that ")[0]
    if character == r"'\t'":
        return SyntaxFault(_place(here), "found a tab where only spaces may stand; allowed: indentation by spaces")
    return SyntaxFault(
        _place(here), f"found a value that begins with {escaped(character)}; allowed: such a value in quotes"
    )


def _of_a_quote(_problem: str, _here: Mark, since: Mark) -> SyntaxFault:
    return SyntaxFault(_place(since), "found a quote that nothing closes; allowed: a closing quote of the same kind")


def _of_a_bracket(problem: str, here: Mark, since: Mark) -> SyntaxFault:
    opening, closing = ("{", "}") if "'}'" in problem else ("[", "]")
    line, column = _place(since)
    text = (
        f"found no ',' or '{closing}' here; allowed: one of them, as the '{opening}' at {line}:{column} is not closed"
    )
    return SyntaxFault(_place(here), text)


def _of_a_dash(_problem: str, here: Mark, _since: Mark) -> SyntaxFault:
    text = "found an entry of a list after something else; allowed: each entry on a line of its own"
    return SyntaxFault(_place(here), text)


def _of_loose_text(_problem: str, here: Mark, _since: Mark) -> SyntaxFault:
    return SyntaxFault(
        _place(here), "found text beside the one value of the file; allowed: a mapping that is all of it"
    )


def _of_no_value(problem: str, here: Mark, _since: Mark) -> SyntaxFault:
    token = problem.rpartition("found ")[2]
    found = {"'<stream end>'": "the end of the file", "'<block end>'": "the end of the lines"}.get(
        token, escaped(token)
    )
    return SyntaxFault(_place(here), f"found {found} where a value has to stand; allowed: a value, or '' for none")


_BY_BEGINNING: dict[str, Callable[[str, Mark, Mark], SyntaxFault]] = {
    "expected <block end>": _of_a_misfit,
    "mapping values are not allowed here": _of_a_colon,
    "could not find expected ':'": _of_no_colon,
    "found character": _of_a_character,
    "found unexpected end of stream": _of_a_quote,
    "expected ',' or": _of_a_bracket,
    "sequence entries are not allowed here": _of_a_dash,
    "expected the node content": _of_no_value,
    "expected '<document start>'": _of_loose_text,
}
