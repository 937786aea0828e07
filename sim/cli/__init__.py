"""The command `sim`: its options, its output and its exit codes."""

from sim.cli.process.entry import main

__all__ = ["main"]
