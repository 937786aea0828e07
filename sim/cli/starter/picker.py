"""Which replica gets a request: the decision that is put to the test."""


def pick(replicas):
    """Return the replica with the fewest requests in flight; of several, the one that has rested longest."""
    return min(replicas, key=lambda replica: (replica.in_flight, replica.last_used_ns), default=None)
