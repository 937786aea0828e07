"""The only place that knows SimPy: clock, tasks, awaitables, queues."""
