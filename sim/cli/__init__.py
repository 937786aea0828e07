"""The command `sim`: its options, its output and its exit codes."""

from sim.cli.entry import main

__all__ = ["main"]
