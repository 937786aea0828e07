"""What can go wrong on a port, by type: every world raises these same errors.

Each takes one message, so that an engine which rebuilds an exception from its arguments cannot lose it.
"""


class CallError(Exception):
    """A call on a port ended without the answer it was made for."""


class DeadlineExceeded(CallError):
    """The time limit ran out before the call was answered; the other side may be busy rather than dead."""


class Unavailable(CallError):
    """Nobody answers at that address."""


class NotCommitted(Unavailable):
    """The registry has not committed the transaction and never will, so it may be tried again."""


class Unwell(Unavailable):
    """The process answers a health call, but does not say that it is well."""


class ModelNotLoaded(CallError):
    """The process is alive but holds no model."""


class WrongModel(CallError):
    """The process answers for another model than the one asked for."""


class NoReplica(CallError):
    """No node can take a new replica of the model."""


class NoMatchingNode(NoReplica):
    """No healthy node has the labels that the model asks for."""


class NoFreeSlot(NoReplica):
    """The node has as many replicas of the model as it may have."""


class StaleRevision(CallError):
    """The replica was loaded for a revision of its model that is not the current one any more."""


class Busy(CallError):
    """The call was turned away because too much work is under way."""


class StillLoading(CallError):
    """The model was not loaded in the time that a request waits for it; the message says when to come back."""


class LoadFailed(CallError):
    """The load that the request waited for has failed; the message is its cause."""
