"""Errors for arguments that there are none of, which name the nearest right one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from keras_dlbasic._nearest import nearest_name

Function = TypeVar("Function", bound=Callable[..., Any])


def names_nearest(function: Function) -> Function:
    """Decorate a function that takes only arguments that it names.

    Called with another one by name, it raises a TypeError that says which was probably
    meant. For `__init__` the class is named. A function that takes `**kwargs` stays as
    it is.

    Example:
    >>> from keras_dlbasic._wrong_arguments import names_nearest
    >>> @names_nearest
    ... def fit(x, epochs=1): ...
    >>> fit(1, Epoch=2)
    Traceback (most recent call last):
        ...
    TypeError: fit() got an unexpected keyword argument 'Epoch'. Did you mean 'epochs'?
    It takes: x, epochs.
    """
    parameters = inspect.signature(function).parameters
    # `**kwargs` go on to another function, such as the `__init__` of a base class: only
    # that knows which names are right.
    if any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        return function
    known = list(parameters)
    names = frozenset(known)

    @wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        for name in kwargs.keys() - names:
            raise TypeError(_unexpected(function, name, known))
        return function(*args, **kwargs)

    return cast(Function, checked)


def name_nearest_in(kind: type) -> None:
    """Do the same for what a class takes, if it has an `__init__` of its own.

    Not by an assignment in the body of a class: editors would lose its signature.
    """
    own = vars(kind).get("__init__")
    if own is not None:
        setattr(kind, "__init__", names_nearest(own))  # noqa: B010


def _unexpected(function: Callable[..., Any], name: str, known: list[str]) -> str:
    called = function.__qualname__.rpartition("<locals>.")[2]
    called = called.removesuffix(".__init__")
    shown = [one for one in known if one != "self"]
    by_lower = {one.lower(): one for one in shown}
    close = nearest_name(name.lower(), by_lower)
    meant = f" Did you mean {by_lower[close]!r}?" if close else ""
    return (
        f"{called}() got an unexpected keyword argument {name!r}.{meant}\n"
        f"It takes: {', '.join(shown)}."
    )
