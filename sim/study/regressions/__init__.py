"""Known regressions of routers: where their scenarios are, and how a router stands to them."""
