"""Results put together for readers: what folders tell of each scenario, a comparison as a table, all as a page."""
