"""Which runs of a scenario to do: its variants, and as many seeds as its expectations need."""

from collections.abc import Iterator
from dataclasses import dataclass

from sim.scenario import ScenarioFile
from sim.scenario.spec.base import MOST_SEED
from sim.scenario.text.errors import did_you_mean, listed


@dataclass(frozen=True, slots=True)
class RunSelection:
    """Which runs of each scenario."""

    variants: tuple[str, ...]
    """Chosen variants; all if empty."""
    seed: int | None
    """First seed; each variant's own if None."""
    repetitions: int | None = None
    """How many seeds at least; as many as the expectations need if None, and only `seed` if that is given."""

    @property
    def asked(self) -> int:
        """Number of seeds on which every expectation is judged."""
        return self.repetitions or 1

    def seeds(self, file: ScenarioFile) -> int:
        """Return on how many seeds each variant runs: more than asked if an expectation is judged on more."""
        if self.repetitions is None and self.seed is not None:
            return 1
        chosen = self.first_seeds(file).keys()
        needed = [one.over or 1 for one in file.expect if chosen >= {*one.others, *filter(None, [one.variant])}]
        return max(self.asked, *needed, 1)

    def first_seeds(self, file: ScenarioFile) -> dict[str, int]:
        """Return the chosen variants, in the file's order, each with its first seed."""
        return {
            name: scenario.seed if self.seed is None else self.seed
            for name, scenario in file.variants.items()
            if not self.variants or name in self.variants
        }

    def problems(self, file: ScenarioFile) -> Iterator[str]:
        """Yield a problem for each chosen variant or seed that the scenario does not have."""
        for name in self.variants:
            if name not in file.variants:
                hint = did_you_mean(name, file.variants)
                yield f"{file.path}: no variant {name!r}; allowed: {listed(file.variants)}{hint}"
        count = self.seeds(file)
        if max(self.first_seeds(file).values(), default=0) + count - 1 > MOST_SEED:
            yield f"{file.path}: {count} seeds go beyond the last one; allowed: up to {MOST_SEED}"
