"""Slips in what a scenario's faults do, and in when its users come back."""

from sim.routing.clients import Clients, User
from sim.routing.fleet import Fleet
from sim.simulated.faults.base import ActiveTime
from sim.simulated.faults.registry.reads import StaleReads
from sim.testing.mutants.mutant import in_place_of


@in_place_of("sim.simulated.faults.base:ActiveTime.holds", "messages_by_hand")
def fault_holds_at_its_end(self: ActiveTime, now_ns: int) -> bool:
    """A fault still holds at the very instant at which it is over: `<=` for `<`."""
    return self._begins_ns <= now_ns and (self._ends_ns is None or now_ns <= self._ends_ns)


@in_place_of("sim.simulated.faults.registry.reads:StaleReads._old_fleet", "tables_by_hand")
def newest_reading_is_shown(self: StaleReads, place: str) -> Fleet | None:
    """A registry that should show what was shows what is."""
    if not self._readings or not self.is_active():
        return None
    self.struck(place)
    return self._readings[-1][1]


@in_place_of("sim.routing.clients:Clients.take_turns", "users_by_hand")
async def user_comes_at_the_very_end(self: Clients, user: User) -> None:
    """A user sends one more request at the very instant at which its time is over."""
    await self._runtime.sleep(user.start_ns)
    for think_ns, request in user.turns:
        await self._runtime.sleep(think_ns)
        if self._runtime.now_ns() > user.stop_ns:
            return
        await self.send_now(request)
