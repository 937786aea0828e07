"""Units in which durations and times are written down. Inside the program time is whole nanoseconds."""

NS_PER_S = 1_000_000_000
