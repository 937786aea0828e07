"""What one run's records say: fairness, load, readiness, the fleet."""
