"""What a request passes through: route, probe, reservation, client cache."""
