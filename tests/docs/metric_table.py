"""The table of all metrics, drawn from the catalogue: `python -m tests.docs.metric_table` writes it there."""

from itertools import groupby

from sim.measure.catalogue import CATALOGUE, Metric
from tests.docs.pages import between, page, put_between

PAGE = page("reference/metrics")
FIRST_LINE = "<!-- metrics: drawn by `python -m tests.docs.metric_table` -->\n"
LAST_LINE = "<!-- end of metrics -->\n"


def drawn() -> str:
    """A row for each metric; those that say the same share one."""
    rows = [
        f"| `{_together([metric.pattern for metric in metrics])}` | {unit} | {better} | {sentence} |"
        for (unit, better, sentence), metrics in groupby(CATALOGUE, _told)
    ]
    return "\n".join(["| Name | Unit | Better | What it is |", "| --- | --- | --- | --- |", *rows, ""])


def on_its_page() -> str:
    """The table that the page has."""
    return between(PAGE, FIRST_LINE, LAST_LINE)


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
    put_between(PAGE, FIRST_LINE, drawn(), LAST_LINE)
