"""Which replica serves a request: one page a policy."""
