"""Which replicas answered a probe lately: a time to live, and one probe at a time per replica."""

from sim.routing.outcomes import Answer, AnswerSource
from sim.routing.ports import Clock, Probe
from sim.routing.request_path.singleflight import FlightFailed, Singleflight

_FRESH = Answer(alive=True, source=AnswerSource.FRESH)


class ProbeCache:
    """Tells whether a replica is alive, from memory while its last success is younger than the TTL.

    It remembers only successes. The age limit is strict, and with a TTL of 0 nothing is ever fresh. Each frontend has
    entries of its own. They go by node and address, and say that something answers there, not what.
    """

    __slots__ = ("_clock", "_flights", "_invalidations", "_succeeded_ns", "_ttl_ns")

    def __init__(self, clock: Clock, ttl_ns: int, flights: Singleflight) -> None:
        self._clock = clock
        self._ttl_ns = ttl_ns
        self._flights = flights
        self._succeeded_ns: dict[str, int] = {}
        self._invalidations: dict[str, int] = {}

    def is_fresh(self, key: str) -> bool:
        """Return whether the last success is younger than the TTL."""
        return self.remembered(key) is not None

    def remembered(self, key: str) -> Answer | None:
        """Answer from memory alone; None if the key is not fresh."""
        succeeded_ns = self._succeeded_ns.get(key)
        if succeeded_ns is None or self._clock.now_ns() - succeeded_ns >= self._ttl_ns:
            return None
        return _FRESH

    async def check(self, key: str, probe: Probe) -> Answer:
        """Answer from memory if fresh, else from one probe that all who ask meanwhile share.

        A shared probe that was cut short, because the caller that ran it left, counts as failed for those who joined.
        """
        remembered = self.remembered(key)
        if remembered is not None:
            return remembered
        source = AnswerSource.SHARED if self._flights.is_under_way(key) else AnswerSource.PROBED
        try:
            alive = await self._flights.do(key, lambda: self._probe(key, probe))
        except FlightFailed:
            alive = False
        return Answer(alive, source)

    async def is_alive(self, key: str, probe: Probe) -> bool:
        """Answer as `check` does, without saying where the answer comes from."""
        return (await self.check(key, probe)).alive

    def refresh(self, key: str) -> None:
        """Count a call that the replica has just answered as a successful probe."""
        self._succeeded_ns[key] = self._clock.now_ns()

    def invalidate(self, key: str) -> None:
        """Forget the key; a probe under way will not be remembered either."""
        self._succeeded_ns.pop(key, None)
        self._invalidations[key] = self._invalidations.get(key, 0) + 1

    async def _probe(self, key: str, probe: Probe) -> bool:
        # Checked again inside the flight: the key may have become fresh between the check and the start of the call.
        if self.is_fresh(key):
            return True
        invalidations = self._invalidations.get(key, 0)
        alive = await probe()
        if not alive:
            self._succeeded_ns.pop(key, None)
        elif self._invalidations.get(key, 0) == invalidations:
            self._succeeded_ns[key] = self._clock.now_ns()
        return alive
