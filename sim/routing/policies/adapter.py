"""Turns what a user wrote (a function, a class, or an object) into a policy at work."""

from collections.abc import Callable
from inspect import iscoroutinefunction, signature
from typing import Any

from sim.routing.policies.choose import Chooser, RowPolicy
from sim.routing.policies.picker import Pick, Picker, raised
from sim.routing.policies.port import PolicyContext, PolicyError

ALLOWED = "allowed: a function of (replicas) or (replicas, request), or a class or an object with such a method `pick`"


def misfit(found: object) -> str:
    """Return why this cannot be a policy, or nothing if it can; nothing is called."""
    if _sees_rows(found):
        return ""
    pick = found if _is_function(found) else getattr(found, "pick", None)
    if not callable(pick):
        return f"found {_described(found)}; {ALLOWED}"
    if iscoroutinefunction(pick):
        return "found an async function; allowed: an ordinary one, since a pick is made at one instant"
    # A method of a class counts its `self`; that of an object does not.
    own = 1 if isinstance(found, type) and not isinstance(vars(found).get("pick"), (staticmethod, classmethod)) else 0
    if not (_takes(pick, own + 2) or _takes(pick, own + 1)):
        return f"found a pick with other arguments; {ALLOWED}"
    return ""


def takes_parameters(found: object) -> bool:
    """Tell whether the policy can have keys of its own: it is a class that is made from a context."""
    return isinstance(found, type) and _takes(found, 1)


def adapted(found: object, context: PolicyContext, label: str) -> Chooser:
    """Return the policy at work: a class makes an object of its own for each context, all else is used as it is.

    Raises PolicyError if the object cannot be made.
    """
    if reason := misfit(found):
        raise PolicyError(f"{label}: {reason}")
    if _is_function(found):
        return Picker(label, _of_both(found))
    policy: Any = _made(found, context, label) if isinstance(found, type) else found
    if isinstance(policy, RowPolicy):
        return policy
    return Picker(label, _of_both(policy.pick), getattr(policy, "sent", None), getattr(policy, "ended", None))


def _sees_rows(found: object) -> bool:
    return isinstance(found, type) and issubclass(found, RowPolicy)


def _made(found: type, context: PolicyContext, label: str) -> object:
    try:
        return found(context) if _takes(found, 1) else found()
    except (Exception, SystemExit) as error:
        raise PolicyError(f"{label} raised {raised(error)} when it was made for frontend {context.frontend}") from error


def _of_both(pick: Any) -> Pick:
    """Return the function as one of replicas and request."""
    if _takes(pick, 2):
        return pick  # type: ignore[no-any-return] # whatever it returns is checked
    return lambda replicas, _request: pick(replicas)


def _is_function(found: object) -> bool:
    return callable(found) and not isinstance(found, type) and not hasattr(found, "pick")


def _takes(function: Callable[..., object], count: int) -> bool:
    """Tell whether the function can be called with so many arguments."""
    try:
        signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:
        return count == 1  # Some built-in functions do not tell; `min` of the replicas is one.
    return True


def _described(found: object) -> str:
    return (
        f"the class {found.__name__} without `pick`"
        if isinstance(found, type)
        else f"an object of type {type(found).__name__}"
    )
