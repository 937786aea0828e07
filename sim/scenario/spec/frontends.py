"""How many frontends there are, and which of them takes which request."""

from typing import Any, Literal

from pydantic import Field, model_validator

from sim.scenario.spec.base import Spec

DealingName = Literal["round_robin", "random", "hash"]


class FrontendsSpec(Spec):
    """The frontends, and what stands before them; a whole number stands for that many, with requests dealt in turn."""

    count: int = Field(default=1, ge=1, le=1000)
    """Number of frontends."""
    dealing: DealingName = "round_robin"
    """Which frontend takes a request: each workload's requests in turn, one drawn at random for each request, or always
    the same one for all requests of a workload, as a balancer that hashes its client's address does.

    A user of a closed workload keeps one frontend, dealt by the user's number, or drawn for the user.
    """

    @model_validator(mode="before")
    @classmethod
    def _number(cls, written: Any) -> Any:
        return written if isinstance(written, (dict, FrontendsSpec)) else {"count": written}
