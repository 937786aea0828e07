"""How long a request keeps a backend busy: a drawn time, or its tokens over the rates of the node."""

from collections.abc import Callable
from typing import Self

from pydantic import Field, model_validator

from sim.routing.units import NS_PER_S
from sim.scenario.spec.base import wrong
from sim.scenario.spec.distribution import Shaped
from sim.scenario.spec.nodes import NodeSpec
from sim.scenario.spec.service_profiles import ServiceProfileName, TokenRates, profile_rates
from sim.scenario.text.units import Duration, Rate


class ServiceSpec(Shaped):
    """Service times of a model on a node of speed 1, in one of three forms.

    `mean` with a distribution: drawn per request. `prefill` and `decode`: token rates. `profile`: token rates by name.
    """

    mean_ns: Duration | None = Field(default=None, alias="mean")
    """Mean time that a request takes alone on a node of speed 1."""
    prefill_per_s: Rate | None = Field(default=None, alias="prefill")
    """Prompt tokens per second on a node of speed 1."""
    decode_per_s: Rate | None = Field(default=None, alias="decode")
    """Output tokens per second on a node of speed 1."""
    profile: ServiceProfileName | None = None
    """Measured model whose token rates apply, by the hardware of each node."""

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        by_rate = self.prefill_per_s is not None or self.decode_per_s is not None
        forms = [self.mean_ns is not None, by_rate, self.profile is not None]
        if sum(forms) != 1:
            count = "no form" if not any(forms) else "more than one form"
            raise wrong("", f"found {count} of service time; allowed: mean, or prefill and decode, or profile")
        if by_rate and self.prefill_per_s is None:
            raise wrong("prefill", "missing; decode needs it, such as prefill: 3782.76/s")
        if by_rate and self.decode_per_s is None:
            raise wrong("decode", "missing; prefill needs it, such as decode: 84.1/s")
        if self.mean_ns is None and self.distribution is not None:
            raise wrong("distribution", "found a distribution without mean; allowed: only with mean")
        if self.mean_ns == 0 and self.distribution != "deterministic":
            raise wrong("mean", "found 0s; allowed: more than 0s, or distribution: deterministic")
        return self

    @property
    def has_prefill(self) -> bool:
        """True if times follow from tokens, so that a prefill comes before the first token."""
        return self.mean_ns is None


def token_rates(service: ServiceSpec, node: NodeSpec) -> TokenRates | None:
    """Return the node's rates for the model, its speed included; None if service times are drawn.

    ValueError if the service is by profile and the node names no hardware, which a loaded scenario rules out.
    """
    if service.profile is not None:
        if node.hardware is None:
            raise ValueError(f"node {node.name} needs a hardware for service profile {service.profile}")
        prefill_per_s, decode_per_s = profile_rates(service.profile, node.hardware)
    elif service.prefill_per_s is not None and service.decode_per_s is not None:
        prefill_per_s, decode_per_s = service.prefill_per_s, service.decode_per_s
    else:
        return None
    return TokenRates(prefill_per_s * node.speed, decode_per_s * node.speed)


def relative_speed(service: ServiceSpec, node: NodeSpec) -> float:
    """Return how fast the node serves the model, where a node of speed 1 has 1.

    With a profile of token rates it is the decode rate over that of gb10.
    """
    if service.profile is None or node.hardware is None:
        return node.speed
    return node.speed * profile_rates(service.profile, node.hardware).decode_per_s / _decode_on_gb10(service.profile)


def _decode_on_gb10(profile: ServiceProfileName) -> float:
    return profile_rates(profile, "gb10").decode_per_s


ServiceLaw = Callable[[int, int, int], tuple[int, int]]
"""Maps prompt tokens, output tokens and demand_ns to the prefill and decode times, in whole nanoseconds."""


def service_law(service: ServiceSpec, node: NodeSpec) -> ServiceLaw:
    """Return how long the node takes for the model's requests, each served alone.

    A drawn demand is all decode. Otherwise the demand is ignored and tokens are divided by the node's rates.
    """
    rates, speed = token_rates(service, node), node.speed
    if rates is None and speed == 1:
        return lambda _prompt, _output, demand_ns: (0, demand_ns)
    if rates is None:
        return lambda _prompt, _output, demand_ns: (0, round(demand_ns / speed))
    prefill_per_s, decode_per_s = rates
    return lambda prompt_tokens, output_tokens, _demand: (
        round(prompt_tokens * NS_PER_S / prefill_per_s),
        round(output_tokens * NS_PER_S / decode_per_s),
    )
