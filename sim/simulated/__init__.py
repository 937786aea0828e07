"""The simulated world: the routing code's ports on a SimPy clock."""
