"""What a run did: recorded as columns of integers, turned into tables, metrics and verdicts."""
