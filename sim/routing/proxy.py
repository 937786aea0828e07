"""Ports with something between them and their callers: awaited calls go through one function, by their names."""

from collections.abc import Awaitable, Callable
from functools import partial
from inspect import iscoroutinefunction, isfunction
from types import SimpleNamespace
from typing import Any, TypeVar, cast

Port = TypeVar("Port")

MadeCall = Callable[[], Awaitable[Any]]
"""A call with its arguments, still to be made."""

Around = Callable[[str, tuple[Any, ...], MadeCall], Awaitable[Any]]
"""Given a call's name, its arguments and the call itself; returns the answer."""


def passing_through(port: Port, protocol: object, around: Around, **own: Callable[..., Any]) -> Port:
    """Return a port like this one, whose awaited calls go through `around`.

    `own` are calls that take the place of the port's. Calls that are not awaited reach the port unless they are there.
    """
    awaited: dict[str, Callable[..., Any]] = {
        name: partial(_pass, around, name, getattr(port, name)) for name in awaited_calls(protocol)
    }
    return with_calls(port, protocol, **{**awaited, **own})


def with_calls(port: Port, protocol: object, **own: Callable[..., Any]) -> Port:
    """Return a port like this one, with `own` calls in the place of some."""
    calls = {name: own[name] if name in own else getattr(port, name) for name in calls_of(protocol)}
    return cast("Port", SimpleNamespace(**calls))


def awaited_calls(protocol: object) -> list[str]:
    """Return the names of the protocol's calls that are awaited."""
    return [name for name in calls_of(protocol) if iscoroutinefunction(getattr(protocol, name))]


def calls_of(protocol: object) -> list[str]:
    """Return the names of all the protocol's calls."""
    return [name for name in dir(protocol) if not name.startswith("_") and isfunction(getattr(protocol, name))]


async def _pass(around: Around, name: str, call: Callable[..., Awaitable[Any]], *args: Any, **named: Any) -> Any:
    return await around(name, (*args, *named.values()), partial(call, *args, **named))
