"""What times and sizes are counted in: nanoseconds and bytes."""

MS_NS = 1_000_000
SECOND_NS = 1_000 * MS_NS

GIB_BYTES = 1 << 30
