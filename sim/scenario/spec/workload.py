"""Who sends requests and when: one class for each kind of workload."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, StringConstraints, ValidationInfo, model_validator

from sim.scenario.spec.base import Name, Spec, wrong
from sim.scenario.spec.distribution import Shaped
from sim.scenario.text.trace_file import MOST_TOKENS, BadTrace, Trace, TraceColumns
from sim.scenario.text.units import Duration, Rate

TraceReader = Callable[[str, TraceColumns], Trace]
"""Finds and reads the trace file that a scenario names; raises BadTrace."""


class TokensSpec(Shaped):
    """Tokens of a request; a whole number in the file stands for that many in every request.

    Draws are rounded to whole tokens, and to at least one, which lifts a mean of only a few tokens a little.
    """

    mean: float = Field(ge=0, le=MOST_TOKENS)
    """Mean number of tokens."""

    @model_validator(mode="before")
    @classmethod
    def _constant(cls, written: Any) -> Any:
        return {"mean": written, "distribution": "deterministic"} if type(written) is int else written


class ThinkSpec(Shaped):
    """How long a user waits between an answer and the next request; a duration stands for always that long."""

    mean_ns: Duration = Field(alias="mean")
    """Mean time between an answer and the user's next request."""

    @model_validator(mode="before")
    @classmethod
    def _constant(cls, written: Any) -> Any:
        return written if isinstance(written, (dict, ThinkSpec)) else {"mean": written, "distribution": "deterministic"}


NO_TOKENS = TokensSpec(mean=0, distribution="deterministic")
NO_THINKING = ThinkSpec(mean="0s", distribution="deterministic")  # type: ignore[arg-type]


class _Workload(Spec):
    kind: str
    model: Name
    """Name of the model that the requests ask for."""
    stop_ns: Duration | None = Field(default=None, alias="stop")
    """Time at which arrivals stop; the scenario's duration if not given."""
    patience_ns: Duration | None = Field(default=None, alias="patience", gt=0)
    """Time after its arrival at which a client gives up; never if not given."""


class PromptsSpec(Spec):
    """What prompts have in common: each begins like all of its family, and ends like no other.

    Blocks are what a backend's cache of prompts keeps or drops as a whole. They all have the same part of the prompt's
    tokens.
    """

    families: int = Field(ge=1, le=1_000_000)
    """Number of families. Each request is of one of them at random, all equally likely."""
    shared_blocks: int = Field(ge=0, le=10_000)
    """Blocks at the beginning of a prompt that its family has in common."""
    own_blocks: int = Field(ge=0, le=10_000)
    """Blocks after them that no other prompt has."""

    @model_validator(mode="after")
    def _has_blocks(self) -> Self:
        if not self.shared_blocks + self.own_blocks:
            raise wrong("shared_blocks", "found prompts without blocks; allowed: at least one, shared or own")
        return self


class _Drawn(_Workload):
    prompt_tokens: TokensSpec = NO_TOKENS
    """Tokens of a request's prompt."""
    output_tokens: TokensSpec = NO_TOKENS
    """Tokens of a request's answer."""
    prompts: PromptsSpec | None = None
    """What the prompts have in common, for routers and backends that know them again; nothing is known if not given."""


class _Started(_Drawn):
    start_ns: Duration = Field(default=0, alias="start")
    """Time at which arrivals start."""


class PoissonWorkload(_Started):
    """Independent arrivals at a rate."""

    kind: Literal["poisson"]
    rate_per_s: Rate = Field(alias="rate")
    """Mean number of arrivals per unit of time."""


class UniformWorkload(_Started):
    """Evenly spaced arrivals, the first one spacing after the start."""

    kind: Literal["uniform"]
    rate_per_s: Rate = Field(alias="rate")
    """Number of arrivals per unit of time."""


class BurstWorkload(_Drawn):
    """Requests that come at once, or at random instants of a short spread; once, or at regular intervals."""

    kind: Literal["burst"]
    at_ns: Duration = Field(alias="at")
    """Time at which the first burst begins."""
    requests: int = Field(ge=1, le=10_000_000)
    """Number of requests in each burst."""
    spread_ns: Duration = Field(default=0, alias="spread")
    """Length of a burst. Its requests arrive at random instants within it."""
    every_ns: Duration | None = Field(default=None, alias="every", gt=0)
    """Time from the beginning of one burst to that of the next; there is only one burst if not given."""


class ClosedWorkload(_Started):
    """Users who each think, send a request, wait for its end, and think again."""

    kind: Literal["closed"]
    users: int = Field(ge=1, le=100_000)
    """Number of users, each with at most one request at a time."""
    think: ThinkSpec = NO_THINKING
    """Time between an answer and the user's next request."""


class TraceColumnsSpec(Spec):
    """Which columns of the CSV file hold what."""

    arrival: str = "arrival_s"
    """Name of the column with the arrivals: seconds from the start of the trace, or times as 2023-11-16T18:17:03.97."""
    prompt: str = "context_tokens"
    """Name of the column with the prompt tokens."""
    output: str = "generated_tokens"
    """Name of the column with the output tokens."""
    blocks: str | None = None
    """Name of the column with the blocks of the prompts, numbers and ranges as in `0 14-27`, where equal numbers stand
    for equal beginnings; nothing is known of prompts if not given."""


class TraceWorkload(_Workload):
    """Arrivals and token counts from a CSV file."""

    kind: Literal["trace"]
    start_ns: Duration = Field(default=0, alias="start")
    """Time in the run at which the trace starts."""
    file: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    """Path of the CSV file, relative to the scenario."""
    columns: TraceColumnsSpec = TraceColumnsSpec()
    """Names of the columns in the file."""
    stretch: float = Field(default=1.0, gt=0, le=1e6)
    """Factor on all arrival times: above 1 is slower."""
    limit: int | None = Field(default=None, ge=1, le=10_000_000)
    """Number of rows that are used, from the first; all if not given."""

    _trace: Trace | None = PrivateAttr(default=None)

    @property
    def trace(self) -> Trace:
        """The rows of the file; ValueError if the scenario was not made by `load`."""
        if self._trace is None:
            raise ValueError(f"the trace {self.file} was not read; load the scenario from its file")
        return self._trace

    @model_validator(mode="after")
    def _read(self, info: ValidationInfo) -> Self:
        reader: TraceReader | None = (info.context or {}).get("read_trace")
        if reader is not None:
            columns = self.columns
            try:
                asked = TraceColumns(columns.arrival, columns.prompt, columns.output, columns.blocks)
                self._trace = reader(self.file, asked)
            except BadTrace as error:
                raise wrong("file", *error.texts) from None
        return self


WorkloadSpec = Annotated[
    PoissonWorkload | UniformWorkload | BurstWorkload | ClosedWorkload | TraceWorkload, Field(discriminator="kind")
]
"""One source of requests."""
