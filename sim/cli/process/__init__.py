"""How the process ends, writes, and shows progress."""
