"""A deterministic simulator of a distributed LLM-inference router, in which the routing code is real."""

__version__ = "0.1.0"
