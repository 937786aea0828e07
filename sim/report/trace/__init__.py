"""Runs as traces in Chrome's format (the Trace Event Format), which ui.perfetto.dev and chrome://tracing open."""
