"""Measured speeds of models on hardware, as prefill and decode tokens per second with one request at a time.

GB10 (DGX Spark): llama.cpp, `benches/dgx-spark.md`, build 6918, columns pp2048 and tg32.
Thor (Jetson AGX Thor): an estimate, not a measurement of these models. DeepSeek-V4-Flash reached there 47 % of the
prefill and 67 % of the decode rate of GB10 (antirez/ds4, pull request 788); the same ratios are applied to each model.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Hardware = Literal["gb10", "thor"]
ServiceProfileName = Literal["gpt-oss-20b", "gpt-oss-120b", "qwen3-coder-30b-a3b", "qwen2.5-coder-7b", "gemma-3-4b"]


class TokenRates(NamedTuple):
    """How fast a node works through a request's tokens."""

    prefill_per_s: float
    decode_per_s: float


_GB10: Mapping[ServiceProfileName, TokenRates] = {
    "gpt-oss-20b": TokenRates(3782.76, 84.10),
    "gpt-oss-120b": TokenRates(1937.54, 59.02),
    "qwen3-coder-30b-a3b": TokenRates(3175.62, 60.92),
    "qwen2.5-coder-7b": TokenRates(2276.28, 29.30),
    "gemma-3-4b": TokenRates(5713.05, 78.97),
}
_THOR_OVER_GB10 = TokenRates(0.47, 0.67)


def profile_rates(profile: ServiceProfileName, hardware: Hardware) -> TokenRates:
    """Return the rates of a model on a kind of node; those of `thor` are estimates."""
    rates = _GB10[profile]
    if hardware == "gb10":
        return rates
    return TokenRates(
        rates.prefill_per_s * _THOR_OVER_GB10.prefill_per_s, rates.decode_per_s * _THOR_OVER_GB10.decode_per_s
    )
