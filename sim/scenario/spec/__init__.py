"""The schema of a scenario, one page a part."""
