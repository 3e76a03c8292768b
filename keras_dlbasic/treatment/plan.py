"""How a model is to be changed and trained."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from keras_dlbasic.diagnosis.remedy_registry import REMEDIES
from keras_dlbasic.diagnosis.remedy_suggestion import remedy_call
from keras_dlbasic.studies.learning_rate import LearningRateRangeTest

Step = tuple[str, dict[str, Any]]

PATIENCE_SHARE = 0.1
"""Early stopping waits for this share of the epochs, at least 5."""

LEAST_SHARE = 0.5
"""A second training may be cut to this share of its epochs."""


class NotApplicableError(ValueError):
    """Raised if a remedy cannot be applied to a plan."""


@dataclass(frozen=True)
class Plan:
    """Remedies for a model, in the order in which they are applied, and how to fit it.

    Attributes:
        epochs: Epochs of the full training.
        batch_size: Samples in an update.
        steps: Remedies that change the model: name and keyword arguments.
        early_stopping: Whether training ends, and the best weights come back, when the
            validation loss no longer falls.
    """

    epochs: int
    batch_size: int
    steps: tuple[Step, ...] = ()
    early_stopping: bool = False

    @property
    def patience(self) -> int:
        """Epochs that early stopping waits."""
        return max(5, round(PATIENCE_SHARE * self.epochs))

    def epochs_within(self, left: float) -> int:
        """Return how long a second training may be.

        Args:
            left: Epochs that may still be spent.

        Returns:
            All epochs, or as many as are left; 0 where that is less than half.
        """
        epochs = min(self.epochs, math.floor(left))
        return epochs if epochs >= LEAST_SHARE * self.epochs else 0

    def with_remedy(
        self, name: str, kwargs: dict[str, Any], find_rate: Callable[[], float | None]
    ) -> Plan:
        """Return the plan with one more remedy.

        Args:
            name: Name of a remedy.
            kwargs: Its keyword arguments.
            find_rate: Runs a range test for this plan.

        Raises:
            NotApplicableError: If it is unknown, takes other arguments, is for the user
                to judge, or would change nothing.
        """
        if name not in REMEDIES:
            raise NotApplicableError(REMEDIES.unknown(name))
        spec = REMEDIES[name]
        if spec.judged_by == "user":
            raise NotApplicableError(f"whether {name!r} helps is for you to judge")
        # What does not fit this plan is no fault of the treatment, which goes on with
        # the next remedy.
        try:
            spec.check_arguments(kwargs)
            if spec.fit_call is None:
                new = self.with_step(name, kwargs)
            else:
                new = spec.apply(self, {"find_rate": find_rate}, kwargs)
        except ValueError as error:
            raise NotApplicableError(str(error)) from error
        if new == self:
            raise NotApplicableError("it is in the plan already")
        return new

    def with_step(self, name: str, kwargs: dict[str, Any]) -> Plan:
        """Return the plan with one more remedy that changes the model."""
        return replace(self, steps=(*self.steps, (name, dict(kwargs))))

    def apply(self, model: Any, x: Any, y: Any, seed: int) -> Any:
        """Return the model with all remedies.

        Args:
            model: A compiled model.
            x: Training inputs, for the remedies that need them.
            y: Training targets, likewise.
            seed: For the remedies that draw at random and have none of their own.

        Raises:
            ValueError: If the model cannot be changed like this.
        """
        for name, kwargs in self.steps:
            offered = {"x": x, "y": y, "seed": seed}
            model = REMEDIES[name].apply(model, offered, kwargs)
        return model

    def code(self, *, build: bool = False, validation: bool = True) -> str:
        """Return plain code that does the same.

        Args:
            build: Whether the model comes from a function. Defaults to `False`.
            validation: Whether there are validation data. Defaults to `True`.
        """
        lines = ["import keras", "import keras_dlbasic as kd", ""]
        lines += ["model = build()"] if build else []
        lines += [remedy_call(name, kwargs) for name, kwargs in self.steps]
        given = [f"batch_size={self.batch_size}", f"epochs={self.epochs}"]
        given += ["validation_data=validation_data"] if validation else []
        if self.early_stopping and validation:
            given.append("callbacks=[stopping]")
            lines.append(
                f"stopping = keras.callbacks.EarlyStopping(patience={self.patience}, "
                "restore_best_weights=True)"
            )
        lines += ["model.fit(", "    x, y,", f"    {', '.join(given)},", ")"]
        return "\n".join(lines)


def find_learning_rate(
    model: Any, x: Any, y: Any, batch_size: int, steps: int
) -> float | None:
    """Run a range test; None if no rate makes the loss fall."""
    test = LearningRateRangeTest(
        model, x, y, batch_size=batch_size, steps=steps, verbose=0
    )
    return test.run().suggestion
