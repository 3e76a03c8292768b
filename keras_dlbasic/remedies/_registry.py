"""Make a function a remedy."""

from __future__ import annotations

import sys
from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any, TypeVar

from keras_dlbasic._nearest import nearest
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.diagnosis.remedy_registry import REMEDIES
from keras_dlbasic.diagnosis.remedy_spec import DATA, JUDGED_BY, JudgedBy, RemedySpec

Function = TypeVar("Function", bound=Callable[..., Any])

_PACKAGE = "keras_dlbasic.remedies"
_BY_POSITION = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


@names_nearest
def remedy(
    *wrong: Any,
    needs: tuple[str, ...] = (),
    keeps_weights: bool = True,
    repeatable: bool = False,
    judged_by: JudgedBy = "short_trial",
) -> Callable[[Function], Function]:
    """Register a function as a remedy.

    Rules can then suggest it as `RemedySuggestion("its_name", "why")`, and `treat`
    tries it. The function is also available as `keras_dlbasic.remedies.its_name`, which
    the printed advice uses. The function itself is not changed.

    Its parameters are a compiled model, then the data in `needs`, then arguments with
    defaults. It returns a new model, compiled like the given one. If it has a parameter
    `seed`, `treat` passes the seed of the trial.

    Args:
        wrong: Not used: write `@remedy()`, with parentheses.
        needs: The data it takes, in the order of its parameters: `"x"`, `"y"`. Defaults
            to none.
        keeps_weights: Whether layers whose shapes stay the same keep their weights.
            Defaults to `True`.
        repeatable: Whether applying it again can increase its effect, as with a smaller
            learning rate. Defaults to `False`: `treat` tries it once.
        judged_by: How `treat` tests whether it helps: `"short_trial"` (default);
            `"whole_training"`, if a short trial cannot show it; or `"user"`: not at
            all.

    Raises:
        TypeError: If it is used without parentheses, or an argument has another type.
        ValueError: If `needs` or `judged_by` is unknown, if the function has other
            parameters or no docstring, or if its name is already used.

    Example:
    >>> from keras_dlbasic.remedies import remedy
    >>> from keras_dlbasic.remedies.rebuild import rebuild
    >>> @remedy(needs=("x",))
    ... def same_model(model, x):
    ...     "Build the model anew."
    ...     return rebuild(model)
    >>> from keras_dlbasic.diagnosis import RemedySuggestion
    >>> RemedySuggestion("same_model", "it costs nothing").call
    'model = kd.remedies.same_model(model, x)'
    """
    if wrong:
        raise TypeError(
            "Write `@remedy()` or `@remedy(needs=...)`, with brackets and with all "
            f"arguments by name. Received: {wrong[0]!r}"
        )
    _check_arguments(needs, keeps_weights, repeatable, judged_by)

    def register(function: Function) -> Function:
        _check_function(function, needs)
        name = function.__name__
        spec = RemedySpec(name, function, needs, keeps_weights, repeatable, judged_by)
        REMEDIES.add(spec)
        return function

    return register


def own_remedy(name: str) -> Callable[..., Any]:
    """Return a remedy of the user's own, for `keras_dlbasic.remedies.its_name`.

    Raises:
        AttributeError: If there is none of that name.
    """
    spec = REMEDIES.get(name)
    if spec is None or spec.fit_call is not None:
        raise AttributeError(
            f"module {_PACKAGE!r} has no attribute {name!r}. {REMEDIES.unknown(name)}"
        )
    return spec.function


def _check_arguments(
    needs: Any, keeps_weights: Any, repeatable: Any, judged_by: Any
) -> None:
    if not isinstance(needs, tuple):
        raise TypeError(
            "`needs` must be a tuple of names, such as ('x',). "
            f"Received: needs={needs!r}"
        )
    if unknown := [name for name in needs if name not in DATA]:
        raise ValueError(
            f"`needs` must be names of training data, some of {DATA}. "
            f"Received: {unknown}"
        )
    for name, value in (("keeps_weights", keeps_weights), ("repeatable", repeatable)):
        if not isinstance(value, bool):
            raise TypeError(f"`{name}` must be True or False. Received: {value!r}")
    if judged_by not in JUDGED_BY:
        raise ValueError(
            f"`judged_by` says how a remedy is tried. Received: {judged_by!r}. "
            f"{nearest(judged_by, JUDGED_BY)}"
        )


def _check_function(function: Any, needs: tuple[str, ...]) -> None:
    name = getattr(function, "__name__", "")
    if not callable(function) or isinstance(function, type) or not name.isidentifier():
        raise TypeError(
            f"`@remedy(...)` is for functions that have a name. Received: {function!r}"
        )
    if not (function.__doc__ or "").strip():
        raise ValueError(
            f"The remedy {name!r} has no docstring. Expected one that says what it "
            "changes."
        )
    _check_parameters(name, signature(function).parameters, needs)
    # A remedy of the user's must not hide something else of this package by its name.
    package = vars(sys.modules[_PACKAGE])
    is_own = str(function.__module__).startswith(f"{_PACKAGE}.")
    if not is_own and name in package and name not in REMEDIES:
        raise ValueError(
            f"`keras_dlbasic.remedies.{name}` is something else already. Give your "
            "remedy another name."
        )


def _check_parameters(name: str, parameters: Any, needs: tuple[str, ...]) -> None:
    by_position = [p.name for p in parameters.values() if p.kind in _BY_POSITION]
    expected = ["model", *needs]
    # what `treat` does not give has to have a default
    rest = [p for p in parameters.values() if p.name not in expected]
    without = [
        p.name
        for p in rest
        if p.default is Parameter.empty
        and p.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    ]
    forgotten = [p.name for p in rest if p.name in DATA]
    if by_position[: len(expected)] == expected and not without and not forgotten:
        return
    given = ", ".join(str(p) for p in parameters.values())
    wanted = ", ".join(expected)
    message = f"The remedy {name!r} must begin with the parameters ({wanted})"
    if forgotten:
        message = f"The remedy {name!r} takes {forgotten}, which `needs` does not name"
    elif by_position[: len(expected)] == expected:
        message = f"The parameters {without} of the remedy {name!r} need defaults"
    raise ValueError(
        f"{message}: it is called with the model and with what `needs` names, "
        f"needs={needs!r}. Received: {name}({given})"
    )
