"""Clients: they send requests when the plan says so, wait for the answer, and may lose patience."""

from collections.abc import Coroutine, Sequence
from itertools import count
from typing import Any

from sim.routing.errors import DeadlineExceeded
from sim.routing.frontend import Frontend
from sim.routing.outcomes import Outcome
from sim.routing.ports import Journal
from sim.routing.request import Request
from sim.scenario import ClosedUser, Plan, Scenario
from sim.simulated.runtime import SimulatedRuntime


class Clients:
    """Everybody who sends requests; they number them in the order of arrival."""

    def __init__(
        self,
        runtime: SimulatedRuntime,
        journal: Journal,
        frontends: Sequence[Frontend],
        scenario: Scenario,
        plan: Plan,
    ) -> None:
        self._runtime = runtime
        self._journal = journal
        self._frontends = frontends
        self._plan = plan
        self._models = [model.name for model in scenario.models]
        self._patience_ns = [workload.patience_ns for workload in scenario.workload]
        self._next_id = count().__next__

    def start(self) -> None:
        """Set all clients going."""
        self._runtime.spawn(self._send_as_planned(), "arrivals")
        for number, user in enumerate(self._plan.closed_users):
            self._runtime.spawn(self._take_turns(user), f"user {number}")

    async def _send_as_planned(self) -> None:
        """Send every request of the open workloads at its time, whatever has become of the earlier ones."""
        runtime, patience_ns, models, next_id = self._runtime, self._patience_ns, self._models, self._next_id
        for arrival_ns, source, frontend, model, prompt_tokens, output_tokens, demand_ns in self._plan.open:
            delay_ns = arrival_ns - runtime.now_ns()
            if delay_ns:
                await runtime.sleep(delay_ns)
            request = Request(
                next_id(),
                models[model],
                frontend,
                source,
                arrival_ns,
                prompt_tokens,
                output_tokens,
                demand_ns,
                patience_ns[source],
            )
            runtime.spawn(self._call(request), "request")

    async def _take_turns(self, user: ClosedUser) -> None:
        """Think, send a request, wait for its end, and so on until the workload stops."""
        await self._runtime.sleep(user.start_ns)
        while True:
            think_ns, prompt_tokens, output_tokens, demand_ns = user.next_call()
            await self._runtime.sleep(think_ns)
            now_ns = self._runtime.now_ns()
            if now_ns >= user.stop_ns:
                return
            await self._call(
                Request(
                    self._next_id(),
                    self._models[user.model],
                    user.frontend,
                    user.source,
                    now_ns,
                    prompt_tokens,
                    output_tokens,
                    demand_ns,
                    self._patience_ns[user.source],
                )
            )

    def _call(self, request: Request) -> Coroutine[Any, Any, None]:
        """Note the arrival now, and return what waits for the end."""
        self._journal.arrived(request)
        serving = self._frontends[request.frontend].serve(request)
        if request.patience_ns is None:
            return serving
        return self._wait_patiently(request, request.patience_ns, serving)

    async def _wait_patiently(self, request: Request, patience_ns: int, serving: Coroutine[Any, Any, None]) -> None:
        try:
            await self._runtime.within(patience_ns, serving)
        except DeadlineExceeded:
            self._journal.ended(request, Outcome.CANCELLED, "client_left")
