"""A whole live run: frontend processes, workers, faults, and what they told."""
