"""The options of `sim check`, as the user types and reads them."""

from pathlib import Path
from typing import Annotated

import typer

from sim.cli.options.help import examples

HELP_END = (
    examples(
        "sim check best_replica --set router.pick=locked",
        "sim check ./my_picker.py:PowerOfTwo --allow-code --junit check.xml",
        "sim check exec:./my_picker --allow-code --allow capacity_blind",
    )
    + """
\b
Exit codes:
    0  no regression affects the policy, or only such as it is excused from
    1  a regression affects it
    2  the command line, a scenario or the policy is wrong
    4  a process was killed, a report could not be written, or sim is at fault
    5  nothing was tried: a policy decides none of the regressions
  130  Ctrl-C; 143: a TERM signal; 141: the reader of the output left
"""
)


def check_policy(
    policy: Annotated[
        str,
        typer.Argument(
            metavar="POLICY", help="A policy's name, or code of your own: ./file.py:name, module:name, exec:./program."
        ),
    ],
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Override one value in every scenario, as router.pick=locked; repeatable.",
        ),
    ] = None,
    corpus: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Scenarios with a regression block. [default: those that come with sim]"),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Do not fail for this regression; repeat it for more."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail for limits of a whole family of policies as well.")
    ] = False,
    seeds: Annotated[int, typer.Option(min=1, max=10_000, metavar="N", help="Try each regression on N seeds.")] = 20,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**64 - 1, metavar="N", help="First seed. [default: each scenario's own]"),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write JUnit XML: a test for each regression.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write what belongs in a pull request, as Markdown.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")] = False,
    allow_code: Annotated[
        bool, typer.Option("--allow-code", help="Let the policy be code of your own, which is run.")
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", min=1, max=256, metavar="N", help="Run up to N at a time. [default: all cores]"),
    ] = None,
) -> None:
    """Try a router of your own on every known regression.

    Each regression has a scenario in which it shows, and bounds that a repaired router keeps there. POLICY takes the
    place of that router, and is `affected` if it breaks a bound on more seeds than chance explains.
    """
    from sim.cli.commands.check import CheckReports, check_command
    from sim.study.regressions.check import CheckOptions

    options = CheckOptions(sets or (), corpus, allow or (), strict, seeds, seed, allow_code)
    raise typer.Exit(check_command(policy, options, CheckReports(junit, markdown, json), processes=jobs))
