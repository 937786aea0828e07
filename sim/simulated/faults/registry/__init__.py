"""Faults of the registry: of transactions, of locks, of reads and of single rows."""
