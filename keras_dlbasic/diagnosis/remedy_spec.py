"""What is known of one remedy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any, Literal, get_args

JudgedBy = Literal["short_trial", "whole_training", "user"]

JUDGED_BY: tuple[JudgedBy, ...] = get_args(JudgedBy)
"""How `treat` finds out whether a remedy helped; `"user"`: it does not try it."""

DATA = ("x", "y")
"""Data that a remedy can ask for."""


@dataclass(frozen=True)
class RemedySpec:
    """A remedy, with all that is known of it besides its function.

    `remedies.remedy` makes one for each function of `keras_dlbasic.remedies`. Those of
    the fit, which change how is trained and not the model, are in `fit_remedies`.

    Attributes:
        name: Name of the function.
        function: Takes the model, or the plan of the fit, then what it needs, then
            keyword arguments; gives the new model or plan.
        needs: Names of the arguments that follow the first one: `"x"`, `"y"`; of a
            remedy of the fit also `"find_rate"`, a function that runs a range test.
        keeps_weights: Whether layers whose shapes stay the same keep their weights.
        repeatable: Whether to apply it once more can take its effect further.
        judged_by: One of `JUDGED_BY`.
        fit_call: For a remedy of the fit: makes the code to print of its keyword
            arguments. None for one of the model.

    Example:
    >>> from keras_dlbasic.diagnosis.remedy_registry import REMEDIES
    >>> REMEDIES["train_longer"].judged_by
    'whole_training'
    """

    name: str
    function: Callable[..., Any]
    needs: tuple[str, ...] = ()
    keeps_weights: bool = True
    repeatable: bool = False
    judged_by: JudgedBy = "short_trial"
    fit_call: Callable[..., str] | None = None

    def takes(self, name: str) -> bool:
        """Return whether the function has a parameter of that name."""
        return name in signature(self.function).parameters

    def apply(
        self, target: Any, offered: Mapping[str, Any], kwargs: Mapping[str, Any]
    ) -> Any:
        """Return the changed model, or plan of the fit.

        Args:
            target: A model; for a remedy of the fit, the plan.
            offered: What it may need, by name; also `"seed"`, for a function that has
                a parameter of that name and gets none in `kwargs`.
            kwargs: Its keyword arguments.
        """
        kwargs = dict(kwargs)
        if "seed" in offered and self.takes("seed"):
            kwargs.setdefault("seed", offered["seed"])
        return self.function(target, *(offered[n] for n in self.needs), **kwargs)

    def check_arguments(self, kwargs: Mapping[str, Any]) -> None:
        """Check keyword arguments against the signature of the function.

        Raises:
            ValueError: If the function does not take them.
        """
        parameters = signature(self.function)
        try:
            parameters.bind(None, *self.needs, **kwargs)
        except TypeError as error:
            raise ValueError(
                f"The remedy {self.name!r} does not take these arguments: {error}. "
                f"Received: {dict(kwargs)}. Expected: {self.name}{parameters}"
            ) from error
