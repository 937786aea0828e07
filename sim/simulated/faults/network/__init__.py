"""Faults of the network: messages that are late, lost, doubled or cut off."""
