"""Routing decisions: the modules that drive both the simulated world and a real one. Standard library only."""
