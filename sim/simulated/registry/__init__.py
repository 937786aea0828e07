"""The simulated registry: tables, transactions, locks, picks."""
