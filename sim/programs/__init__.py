"""Programs that pick replicas, in any language: lines of JSON over pipes, one process for each frontend."""
