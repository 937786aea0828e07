"""The README's table of metrics, drawn from the catalogue: `python -m tests.cli.metric_table` writes it there."""

from itertools import groupby

from sim.measure.catalogue import CATALOGUE, Metric
from tests.cli.picture import ROOT

README = ROOT / "README.md"
FIRST_LINE = "<!-- metrics: drawn by `python -m tests.cli.metric_table` -->\n"
LAST_LINE = "<!-- end of metrics -->\n"


def drawn() -> str:
    """A row for each metric; those that say the same share one."""
    rows = [
        f"| `{_together([metric.pattern for metric in metrics])}` | {unit} | {better} | {sentence} |"
        for (unit, better, sentence), metrics in groupby(CATALOGUE, _told)
    ]
    return "\n".join(["| Name | Unit | Better | What it is |", "| --- | --- | --- | --- |", *rows, ""])


def in_readme() -> str:
    """The table that the README has."""
    return README.read_text(encoding="utf-8").partition(FIRST_LINE)[2].partition(LAST_LINE)[0]


def _told(metric: Metric) -> tuple[str, str, str]:
    return metric.unit, metric.better, metric.sentence


def _together(names: list[str]) -> str:
    """Write the statistics of one time as one name: `latency.{p50,p99}_s`."""
    if len(names) == 1:
        return names[0]
    family = names[0].partition(".")[0]
    statistics = (name.removeprefix(f"{family}.").removesuffix("_s") for name in names)
    return f"{family}.{{{','.join(statistics)}}}_s"


if __name__ == "__main__":
    before, _, rest = README.read_text(encoding="utf-8").partition(FIRST_LINE)
    after = rest.partition(LAST_LINE)[2]
    README.write_text(f"{before}{FIRST_LINE}{drawn()}{LAST_LINE}{after}", encoding="utf-8")
