"""Arrival times of open workloads, which depend on the workload and its random stream alone."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sim.routing.units import NS_PER_S
from sim.scenario.spec.workload import (
    BurstWorkload,
    PoissonWorkload,
    TraceWorkload,
    UniformWorkload,
    WorkloadSpec,
)

# 1,024 gaps of the longest duration, 2400 h, still add up below 2^63 ns.
_GAPS_AT_ONCE = 1024


def arrivals_ns(workload: WorkloadSpec, end_ns: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return the sorted arrivals of an open workload, all earlier than `end_ns`; ValueError for a closed one."""
    if isinstance(workload, PoissonWorkload):
        return _poisson(workload, end_ns, generator)
    if isinstance(workload, UniformWorkload):
        return _uniform(workload, end_ns)
    if isinstance(workload, BurstWorkload):
        return _bursts(workload, end_ns, generator)
    if isinstance(workload, TraceWorkload):
        return _of_trace(workload, end_ns)
    raise ValueError(f"the arrivals of a {workload.kind} workload follow from the run")


def _poisson(workload: PoissonWorkload, end_ns: int, generator: np.random.Generator) -> NDArray[np.int64]:
    chunks = _poisson_chunks(workload, end_ns, generator)
    return np.concatenate([np.empty(0, dtype=np.int64), *chunks])


def _poisson_chunks(
    workload: PoissonWorkload, end_ns: int, generator: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    last_ns = workload.start_ns
    mean_gap_ns = NS_PER_S / workload.rate_per_s
    while last_ns < end_ns:
        gaps = np.rint(generator.standard_exponential(_GAPS_AT_ONCE) * mean_gap_ns)
        # A gap that leads past the end is cut to just past it, so that the sum cannot overflow.
        chunk = last_ns + np.cumsum(np.minimum(gaps, end_ns).astype(np.int64))
        last_ns = int(chunk[-1])
        yield chunk[chunk < end_ns]


def _uniform(workload: UniformWorkload, end_ns: int) -> NDArray[np.int64]:
    spacing_ns = NS_PER_S / workload.rate_per_s
    most = max(0, math.floor((end_ns - workload.start_ns) / spacing_ns)) + 1
    # Each arrival is computed from its number, so that rounding errors do not add up.
    arrivals: NDArray[np.int64] = workload.start_ns + np.rint(np.arange(1, most + 1) * spacing_ns).astype(np.int64)
    return arrivals[arrivals < end_ns]


def _bursts(workload: BurstWorkload, end_ns: int, generator: np.random.Generator) -> NDArray[np.int64]:
    if workload.every_ns is None:
        starts = np.array([workload.at_ns], dtype=np.int64)
    else:
        starts = np.arange(workload.at_ns, end_ns, workload.every_ns, dtype=np.int64)
    arrivals = np.repeat(starts, workload.requests)
    if workload.spread_ns:
        arrivals += np.floor(generator.random(len(arrivals)) * workload.spread_ns).astype(np.int64)
        # Sorted over all bursts: with a long spread one burst overlaps the next.
        arrivals.sort(kind="stable")
    return arrivals[arrivals < end_ns]


def _of_trace(workload: TraceWorkload, end_ns: int) -> NDArray[np.int64]:
    stretched = np.rint(workload.trace.arrival_ns[: workload.limit] * workload.stretch)
    arrivals: NDArray[np.int64] = stretched[stretched < end_ns].astype(np.int64) + workload.start_ns
    return arrivals[arrivals < end_ns]
