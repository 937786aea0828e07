"""A whole live run: frontend processes, workers, faults, and the record of what happened."""
