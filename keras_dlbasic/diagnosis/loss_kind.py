"""What a compiled loss expects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_FAMILIES = {
    "sparse_categorical_crossentropy": "class_numbers",
    "categorical_crossentropy": "one_hot",
    "categorical_focal_crossentropy": "one_hot",
    "categorical_hinge": "one_hot",
    "binary_crossentropy": "zero_one",
    "bce": "zero_one",
    "binary_focal_crossentropy": "zero_one",
    "dice": "zero_one",
    "tversky": "zero_one",
    "hinge": "plus_minus",
    "squared_hinge": "plus_minus",
    "mean_squared_error": "values",
    "mse": "values",
    "mean_absolute_error": "values",
    "mae": "values",
    "mean_absolute_percentage_error": "values",
    "mape": "values",
    "mean_squared_logarithmic_error": "values",
    "msle": "values",
    "huber": "values",
    "log_cosh": "values",
    "logcosh": "values",
    "poisson": "values",
    "kl_divergence": "probabilities",
    "kld": "probabilities",
    "kullback_leibler_divergence": "probabilities",
}
_SHORT = {
    "bce": "binary_crossentropy",
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
}


@dataclass(frozen=True)
class LossKind:
    """What a loss expects of targets and outputs.

    Attributes:
        name: Keras' name of it as a function, `"custom"` for others.
        family: What it takes for targets: `"class_numbers"`, `"one_hot"`,
            `"zero_one"` (columns of 0 and 1), `"plus_minus"`, `"values"`,
            `"probabilities"` or `"unknown"`.
        from_logits: Whether outputs are taken as logits.
        ignore_class: Class number that does not count; None if all do.
        axis: Axis of the outputs along which classes are compared. Defaults to -1.

    Example:
    >>> from keras_dlbasic.diagnosis.loss_kind import LossKind
    >>> kind = LossKind.of({"class_name": "BinaryCrossentropy", "from_logits": True})
    >>> kind.name, kind.family, kind.from_logits
    ('binary_crossentropy', 'zero_one', True)
    """

    name: str = "custom"
    family: str = "unknown"
    from_logits: bool = False
    ignore_class: int | None = None
    axis: int = -1

    @classmethod
    def of(cls, loss: Any) -> LossKind:
        """Read what `RunFacts.loss` says of a loss: a name or a configuration."""
        # A model with one output may be given its loss in a dictionary or a list of
        # one.
        if isinstance(loss, dict) and len(loss) == 1 and "class_name" not in loss:
            loss = next(iter(loss.values()))
        if isinstance(loss, list) and len(loss) == 1:
            loss = loss[0]
        config = loss if isinstance(loss, dict) else {}
        name = config.get("class_name", loss)
        if not isinstance(name, str) or config.get("own"):
            return cls()  # one of the user's may have the name of Keras', not its terms
        # Losses given as classes have names in camel case, those given as functions or
        # text in snake case, and some have two spellings. All become one name.
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
        name = name.replace("cross_entropy", "crossentropy").rsplit(".", 1)[-1]
        name = {"kldivergence": "kl_divergence"}.get(name, name)
        if name not in _FAMILIES:
            return cls()
        return cls(
            _SHORT.get(name, name),
            _FAMILIES[name],
            bool(config.get("from_logits")),
            config.get("ignore_class"),
            axis if isinstance(axis := config.get("axis"), int) else -1,
        )

    def axis_from_end(self, rank: int | None) -> int | None:
        """Return the axis of classes counted from the end; None if not known.

        Args:
            rank: Number of axes of the output, samples included.
        """
        if self.axis < 0:
            return self.axis
        return None if rank is None else self.axis - rank

    @property
    def decides_at_zero(self) -> bool:
        """Whether an output above 0, not above 0.5, means yes."""
        return self.from_logits or self.family == "plus_minus"

    @property
    def is_crossentropy(self) -> bool:
        """Whether it is one of the cross-entropies."""
        return self.name.endswith("crossentropy")
