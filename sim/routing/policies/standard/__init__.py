"""The policies of the field: what a router usually does, and what it is compared with."""
