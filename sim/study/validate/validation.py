"""A table of reference figures, compared with the simulator row by row."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from sim.study.calls import answers_in_order
from sim.study.validate.answer import Asked, Precision, answers
from sim.study.validate.catalogue import question_for
from sim.study.validate.entry import Entry
from sim.study.validate.row import Row, compared, skipped
from sim.study.validate.system import CannotExpress, Question, System, least_cost_s

SEED = 20260522
"""From which all seeds follow."""


@dataclass(frozen=True, slots=True)
class Case:
    """An entry that the simulator can express."""

    entry: Entry
    value: float
    question: Question

    @property
    def asked(self) -> Asked:
        """The figure, and the value in the system's own unit."""
        return Asked(self.question.figure, self.value / self.question.scale)


@dataclass(frozen=True, slots=True)
class Validation:
    """What is to be compared, system by system, and what is not."""

    entries: Sequence[Entry]
    systems: Sequence[tuple[System, Sequence[Case]]]
    """Those that cost most come first, so that no process is left alone with one at the end."""
    reasons: dict[str, str]
    """Why entries are skipped, by id."""
    precision: Precision
    seed: int = SEED

    def carried_out(self, executor: Executor | None = None) -> Iterator[list[Row]]:
        """Yield the rows of one system after the other, each done here or where the executor takes it.

        Raises WorkerDied if a process is gone.
        """
        calls = [
            partial(answers, system, [case.asked for case in cases], self.precision, self.seed)
            for system, cases in self.systems
        ]
        found_by_system = answers_in_order(calls, (f"ran {system}" for system, _ in self.systems), executor)
        for (_, cases), found in zip(self.systems, found_by_system, strict=True):
            yield [
                compared(case.entry, case.value, case.question, answer, self.precision)
                for case, answer in zip(cases, found, strict=True)
            ]

    def skipped(self) -> list[Row]:
        """Return the rows of entries that are not compared."""
        return [skipped(entry, self.reasons[entry.id]) for entry in self.entries if entry.id in self.reasons]

    def in_order(self, rows: Sequence[Row]) -> list[Row]:
        """Return the rows in the order of the entries."""
        place = {entry.id: number for number, entry in enumerate(self.entries)}
        return sorted(rows, key=lambda row: place[row.entry.id])


def planned(entries: Sequence[Entry], precision: Precision, *, one_system_each: bool = False) -> Validation:
    """Sort entries into systems that share their replications.

    `one_system_each` keeps the first system of each model, and skips the others.
    """
    reasons: dict[str, str] = {}
    by_system: dict[System, list[Case]] = {}
    system_of_model: dict[str, System] = {}
    for entry in entries:
        try:
            question = question_for(entry)
        except CannotExpress as error:
            reasons[entry.id] = str(error)
            continue
        cost_s = least_cost_s(question.system)
        if cost_s > precision.most_s:
            reasons[entry.id] = (
                f"the fewest replications would take about {cost_s:.0f} s; allowed: {precision.most_s:g} s"
            )
            continue
        first = system_of_model.setdefault(entry.model, question.system)
        if one_system_each and question.system != first:
            reasons[entry.id] = "left to the full form"
        else:
            by_system.setdefault(question.system, []).append(Case(entry, entry.number, question))
    systems = sorted(by_system.items(), key=lambda item: -least_cost_s(item[0]))
    return Validation(entries, systems, reasons, precision)
