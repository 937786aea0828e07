"""Every mutant there is, by name, area by area."""

from collections.abc import Mapping

from sim.testing.mutants.mutant import Mutant
from sim.testing.mutants.slips.choice import lists, memories, picks, policies, rivals
from sim.testing.mutants.slips.fleet import befallen, engines, loops, scaling, tables, workers
from sim.testing.mutants.slips.loading import apart, failures, loads, outages, unready
from sim.testing.mutants.slips.measure import figures, spells, verdicts
from sim.testing.mutants.slips.request import clients, counts, probes, retries, steps, waits

AREAS: Mapping[str, tuple[Mutant, ...]] = {
    module.__name__.rpartition(".")[2]: tuple(one for one in vars(module).values() if isinstance(one, Mutant))
    for module in (
        picks,
        policies,
        rivals,
        memories,
        probes,
        counts,
        steps,
        clients,
        waits,
        lists,
        retries,
        loads,
        failures,
        outages,
        unready,
        apart,
        loops,
        scaling,
        tables,
        workers,
        engines,
        befallen,
        figures,
        spells,
        verdicts,
    )
}
"""The mutants of each file, in its order."""

MUTANTS: Mapping[str, Mutant] = {mutant.name: mutant for of_area in AREAS.values() for mutant in of_area}
