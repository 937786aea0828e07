"""Faults of the frontends, which route."""
