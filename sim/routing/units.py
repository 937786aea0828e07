"""What times and sizes are counted in. Inside the program time is whole nanoseconds, and size is bytes."""

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000

BYTES_PER_GIB = 1 << 30
