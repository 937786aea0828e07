"""How often a probe cache has to ask: the real cache and its ways of sharing a probe, on the simulated clock."""

import math
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sim.routing.request_path.probe_cache import ProbeCache
from sim.routing.request_path.singleflight import DetachedFlight, Singleflight, UnsharedCalls
from sim.routing.units import NS_PER_S
from sim.scenario.plan.streams import stream
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.study.validate.entry import Entry
from sim.study.validate.system import Figure, Question, Replication, Simulated, figure_named

_REQUESTS = 3000
"""About, in each replication."""
_MOST_CYCLES = 400
_FEWEST_CYCLES = 30
"""From one expiry of an entry to the next."""
_WARMUP_CYCLES = 5
_REQUEST_S = 15e-6
"""About how many seconds a core takes to ask once."""

Sharing = Literal["detached", "unshared"]


@dataclass(frozen=True, slots=True)
class CachedProbes:
    """Frontends that ask for the same replica, at Poisson times, each with a cache of its own."""

    ttl_s: float
    rate_per_s: float
    """Of all frontends together."""
    latency_s: float
    """Of a probe."""
    sharing: Sharing = "detached"
    failing: float = 0.0
    """Share of the probes that fail."""
    frontends: int = 1

    @property
    def cost_s(self) -> float:
        """About how many seconds a replication takes."""
        return _REQUEST_S * self.rate_per_s * self._cycle_s * (_WARMUP_CYCLES + self._cycles)

    @property
    def _cycle_s(self) -> float:
        return self.ttl_s + self.latency_s + self.frontends / self.rate_per_s

    @property
    def _cycles(self) -> float:
        wanted = _REQUESTS / (self.rate_per_s * self._cycle_s)
        return min(_MOST_CYCLES, max(_FEWEST_CYCLES, wanted))

    def replicate(self, seed: int, figures: Sequence[Figure]) -> Replication:
        """Ask for a while. The number of requests is the control."""
        # Cycles are nearly alike, so the start is felt after many of them, unless counting begins anywhere in a cycle.
        phase = stream(seed, "validate", "0", "phase").random()
        warmup_s = (_WARMUP_CYCLES + phase) * self._cycle_s
        observed_s = self._cycles * self._cycle_s
        asked = _Asked(warmup_s)
        runtime = SimulatedRuntime()
        runtime.spawn(self._ask_for_ever(runtime, seed, asked), "requests")
        runtime.run_tasks(round((warmup_s + observed_s) * NS_PER_S))
        seen = Seen(asked.requests, asked.waited, asked.probes / observed_s)
        return Replication(tuple(figure(seen) for figure in figures), (asked.requests / observed_s - self.rate_per_s,))

    async def _ask_for_ever(self, runtime: SimulatedRuntime, seed: int, asked: "_Asked") -> None:
        draws = stream(seed, "validate", "0", "probe cache")
        caches = [
            ProbeCache(runtime, round(self.ttl_s * NS_PER_S), self._flights(runtime)) for _ in range(self.frontends)
        ]

        async def probe() -> bool:
            asked.probed(runtime.now_ns())
            if self.latency_s:
                await runtime.sleep(round(self.latency_s * NS_PER_S))
            return bool(draws.random() >= self.failing)

        while True:
            await runtime.sleep(round(draws.standard_exponential() / self.rate_per_s * NS_PER_S))
            cache = caches[int(draws.integers(self.frontends))]
            runtime.spawn(asked.request(runtime, cache, probe), "request")

    def _flights(self, runtime: SimulatedRuntime) -> Singleflight:
        return UnsharedCalls() if self.sharing == "unshared" else DetachedFlight(runtime)


class _Asked:
    """Counts what happens after the warm-up."""

    def __init__(self, warmup_s: float) -> None:
        self._warmup_ns = round(warmup_s * NS_PER_S)
        self.requests = self.waited = self.probes = 0

    async def request(
        self, runtime: SimulatedRuntime, cache: ProbeCache, probe: Callable[[], Coroutine[Any, Any, bool]]
    ) -> None:
        """Ask the cache once."""
        counts = runtime.now_ns() >= self._warmup_ns
        self.requests += counts
        self.waited += counts and not cache.is_fresh("replica")
        await cache.check("replica", probe)

    def probed(self, now_ns: int) -> None:
        """Count a probe."""
        self.probes += now_ns >= self._warmup_ns


@dataclass(frozen=True, slots=True)
class Seen:
    """What a replication saw after its warm-up."""

    requests: int
    waited: int
    """For a probe."""
    probes_per_s: float


def probe_rate(seen: Seen) -> float:
    """Return the probes per second."""
    return seen.probes_per_s


def share_that_waits(seen: Seen) -> float:
    """Return the share of requests that are not answered from memory."""
    return seen.waited / seen.requests if seen.requests else math.nan


_FIGURES: Final[Mapping[str, Figure]] = {
    "probe_rate_per_s": probe_rate,
    "fraction_of_requests_that_wait_on_a_probe": share_that_waits,
}


def singleflight(entry: Entry) -> Question:
    """All who ask meanwhile share a probe."""
    return _question(entry)


def unshared(entry: Entry) -> Question:
    """Each asks for itself, and each answer renews the entry."""
    return _question(entry, sharing="unshared")


def failures_are_not_cached(entry: Entry) -> Question:
    """A probe that fails leaves nothing behind."""
    return _question(entry, latency="latency_s", failing=entry.below_one("p_fail"))


def several_routers(entry: Entry) -> Question:
    """Each router finds out for itself."""
    return _question(entry, rate="lam_total", frontends=entry.whole("R"))


def _question(
    entry: Entry,
    *,
    rate: str = "lam_per_s",
    latency: str = "probe_latency_s",
    sharing: Sharing = "detached",
    failing: float = 0.0,
    frontends: int = 1,
) -> Question:
    """Ask for the entry's quantity; `rate` and `latency` are what it calls them."""
    ttl_s, rate_per_s, latency_s = entry.positive("ttl_s"), entry.positive(rate), entry.not_negative(latency)
    cache = CachedProbes(ttl_s, rate_per_s, latency_s, sharing, failing, frontends)
    return Question(Simulated(cache), figure_named(entry.quantity, _FIGURES))
