"""How one more replica comes to be: placement, installs, loads, eviction."""
