"""An open queueing system in the simulator: arrivals, services, what is read of a run, and theory to control it by."""
