"""Faults at work: what each kind of a scenario's `faults` does to a simulated world, by family."""
