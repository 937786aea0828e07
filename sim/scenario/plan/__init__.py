"""From a scenario and a seed to every request of a run."""
