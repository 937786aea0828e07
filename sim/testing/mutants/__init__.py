"""Small wrong versions of the shared modules, each a slip that a person could make, to test the scenarios with."""
