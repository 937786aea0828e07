"""The loops that keep the fleet in shape beside the requests."""
