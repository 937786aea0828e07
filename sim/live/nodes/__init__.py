"""Worker processes on this machine, and the clients that reach backends."""
