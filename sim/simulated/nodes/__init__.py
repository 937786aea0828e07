"""Simulated machines: workers, processes, how fast they work, what they report."""
