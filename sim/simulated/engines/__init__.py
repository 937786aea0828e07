"""Engines: what a backend process does with its calls, chosen by name in the scenario."""
