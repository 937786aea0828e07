"""Slips in the figures of a run."""
