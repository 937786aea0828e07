"""What can go wrong with whole experiments."""


class NoSuchVariant(LookupError):
    """The scenario file has no variant of that name, or has several and none was named."""


class WorkerDied(Exception):
    """A worker process was killed from outside."""


class NotTheSameRun(Exception):
    """A run that was repeated came out otherwise than before: it depends on something outside its scenario and seed."""


class OutFolderRefused(ValueError):
    """The folder for the results would mix them with each other or with what is there."""


class NoSuchMetric(LookupError):
    """The catalogue has no metric of that name."""


class NoSuchRegression(LookupError):
    """The corpus has no regression of that name."""


class NoSuchRequest(LookupError):
    """No request of that number arrived in the run."""


class NoSuchRow(LookupError):
    """The registry had no row of that replica in the run."""
