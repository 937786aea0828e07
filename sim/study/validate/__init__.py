"""The simulator against figures that its authors did not compute: queueing theory and published tables."""
