"""The options of `sim mutants`, as the user types and reads them."""

from pathlib import Path
from typing import Annotated

import typer

from sim.cli.options.help import examples

HELP_END = (
    examples(
        "sim mutants",
        "sim mutants busy_is_dead --seeds 20",
        "sim mutants --corpus my_scenarios --json",
    )
    + """
\b
Exit codes:
    0  every mutant was killed
    1  a mutant survived
    2  the command line or a scenario is wrong; nothing ran
    4  a process was killed, or sim is at fault
  130  Ctrl-C; 143: a TERM signal; 141: the reader of the output left
"""
)


def hunt_mutants(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Mutants to hunt. [default: all]", show_default=False)
    ] = None,
    corpus: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the scenarios, with those below it.")] = Path(
        "scenarios"
    ),
    seeds: Annotated[
        int, typer.Option(min=1, max=1000, metavar="N", help="Try each scenario on up to N seeds, from its own on.")
    ] = 3,
    in_all: Annotated[
        bool, typer.Option("--all", help="Run each mutant in every scenario, not only until one kills it.")
    ] = False,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a page on the mutants, as Markdown.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", min=1, max=256, metavar="N", help="Hunt up to N at a time. [default: all cores]"),
    ] = None,
) -> None:
    """Run the scenarios against deliberately wrong routers, and tell which expectation notices each.

    A mutant is a small slip in the router's code or in the figures. It is killed if an expectation fails that
    holds with the right code; a crash does not count.
    """
    from sim.cli.commands.mutants import MutantOptions, mutants_command

    options = MutantOptions(names or (), corpus, seeds, in_all)
    raise typer.Exit(mutants_command(options, processes=jobs, as_json=json, markdown_file=markdown))
