"""The wire format of backends, and the code made from it by `python -m sim.live.proto.generate`."""
