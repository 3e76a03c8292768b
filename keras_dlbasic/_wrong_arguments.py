"""Errors for calls that do not fit a function, which say how to call it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from keras_dlbasic._arguments import shown
from keras_dlbasic._nearest import nearest_name

Function = TypeVar("Function", bound=Callable[..., Any])

LEVELS = '0 or 1 (unlike `model.fit`, there is no 2 or "auto")'
"""What `verbose` must be."""


def names_nearest(function: Function) -> Function:
    """Decorate a public function or class, so that wrong calls are explained.

    Called with an argument that there is none of, with too many or without a required
    one, it raises a TypeError that says so in the words of a user and lists what there
    is; of a misspelled name it says which was probably meant. An argument that goes
    into `**kwargs` is left to where it goes on to.

    A flag, whose default is True or False, must be one of these; the words "no" and
    "false" would be taken for True. `verbose` must be 0 or 1, else it
    raises a ValueError.

    A class stays the same class, whose own `__init__` is decorated.

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
    if isinstance(function, type):
        name_nearest_in(function)
        return function
    signature = inspect.signature(function)
    flags = [
        (
            place if one.kind is one.POSITIONAL_OR_KEYWORD else sys.maxsize,
            one.name,
            "True or False" if isinstance(one.default, bool) else LEVELS,
        )
        for place, one in enumerate(signature.parameters.values())
        if isinstance(one.default, bool) or one.name == "verbose"
    ]

    @wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        # A call that fits costs nothing. Of one that fails it is asked afterwards
        # whether the arguments were the reason: then nothing of the function has run.
        for place, name, allowed in flags:
            given = args[place] if place < len(args) else kwargs.get(name, False)
            # also 0 and 1, and the booleans of NumPy
            if type(given) is not bool and not _is_flag(given):
                wrong = _misfit(function, signature, args, kwargs)
                if wrong is not None:
                    raise TypeError(wrong)
                kind = ValueError if name == "verbose" else TypeError
                raise kind(
                    f"`{name}` must be {allowed}. Received: {name}={shown(given)}"
                )
        try:
            return function(*args, **kwargs)
        except TypeError:
            wrong = _misfit(function, signature, args, kwargs)
            if wrong is None:
                raise
        raise TypeError(wrong)

    # Keras asks for the arguments of `__init__` without following `__wrapped__`.
    setattr(checked, "__signature__", signature)  # noqa: B010
    return cast(Function, checked)


def name_nearest_in(kind: type) -> None:
    """Do the same for what a class takes, if it has an `__init__` of its own.

    Not by an assignment in the body of a class: editors would lose its signature.
    """
    own = vars(kind).get("__init__")
    if own is not None and not hasattr(own, "__wrapped__"):
        setattr(kind, "__init__", names_nearest(own))  # noqa: B010


def _is_flag(value: Any) -> bool:
    is_number = isinstance(value, int) or type(value).__name__ in ("bool", "bool_")
    return is_number and value in (0, 1)


def _misfit(
    function: Callable[..., Any],
    signature: inspect.Signature,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> str | None:
    """Return why arguments do not fit a signature, None if they do."""
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        is_method = next(iter(signature.parameters), None) == "self"
        called = type(args[0]).__name__ if is_method else function.__name__
        wrong = _wrong(signature, args, kwargs, str(error))
        taken = signature.replace(
            parameters=[
                one.replace(annotation=one.empty, default=one.empty)
                for one in list(signature.parameters.values())[is_method:]
            ],
            return_annotation=signature.empty,
        )
        said = f"{called}() {wrong}{_model_advice(signature, args, kwargs)}"
        return f"{said}\nIt takes: {str(taken)[1:-1]}."
    return None


def _wrong(
    signature: inspect.Signature,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    error: str,
) -> str:
    """Return the first thing that is wrong with arguments that do not fit."""
    parameters = signature.parameters
    names = [
        one.name
        for one in parameters.values()
        if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
        and one.name != "self"
    ]
    takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    by_lower = {one.lower(): one for one in names}
    unknown = [name for name in kwargs if name not in names]
    if unknown and not takes_any:
        close = nearest_name(unknown[0].lower(), by_lower)
        meant = f" Did you mean {by_lower[close]!r}?" if close else ""
        return f"got an unexpected keyword argument {unknown[0]!r}.{meant}"
    # arguments by position come before those by name only
    places = [
        one.name
        for one in parameters.values()
        if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]
    skipped = places[:1] == ["self"]
    if len(args) > len(places):
        most, given = len(places) - skipped, len(args) - skipped
        by_name = [name for name in names if name not in places and name not in kwargs]
        way = f" Give others by name, as in `{by_name[0]}=...`." if by_name else ""
        return f"takes at most {_number(most)} by position, but got {given}.{way}"
    given_names = {*places[: len(args)], *kwargs}
    missing = [
        name
        for name in names
        if parameters[name].default is inspect.Parameter.empty
        and name not in given_names
    ]
    if missing and "multiple values" not in error:
        close = nearest_name(missing[0], unknown)
        meant = f" Did you misspell it as {close!r}?" if close else ""
        plural = "s" * (len(missing) > 1)
        return (
            f"is missing the required argument{plural} "
            f"{', '.join(map(repr, missing))}.{meant}"
        )
    return f"got {error}."  # multiple values for argument 'x'


def _model_advice(
    signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> str:
    """Return where the model comes from, if one was passed that is not taken."""
    names = signature.parameters
    takes_model = any("model" in name or name == "run" for name in names)
    is_given = any(hasattr(one, "layers") and hasattr(one, "fit") for one in args)
    is_given |= "model" in kwargs
    if takes_model or not is_given:
        return ""
    if args and hasattr(args[0], "set_model"):
        return " Leave out the model: a callback gets it from `model.fit`."
    return " It takes no model."


def _number(n: int) -> str:
    return f"{n} argument{'s' * (n != 1)}"
