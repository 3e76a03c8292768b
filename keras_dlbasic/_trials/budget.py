"""How long the trials of a study train."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

UNITS = ("epochs", "updates", "samples", "seconds")


@dataclass(frozen=True)
class Budget:
    """An amount of training, the same for every trial.

    Attributes:
        unit: `"epochs"`, `"updates"`, `"samples"` or `"seconds"` (of training, without
            compilation and measuring).
        amount: How many.
    """

    unit: str
    amount: float

    @classmethod
    def of(cls, budget: Any) -> Budget:
        """Read `{"epochs": 5}`, `("epochs", 5)` or a number of epochs.

        Raises:
            ValueError: If it is none of these.
        """
        if isinstance(budget, Budget):
            return budget
        pair: Any = budget
        if isinstance(budget, Mapping) and len(budget) == 1:
            pair = next(iter(budget.items()))
        elif isinstance(budget, (int, float)) and not isinstance(budget, bool):
            pair = ("epochs", budget)
        if isinstance(pair, (tuple, list)) and len(pair) == 2:
            unit, amount = pair
            number = isinstance(amount, (int, float)) and not isinstance(amount, bool)
            if unit in UNITS and number and amount > 0:
                return cls(unit, amount)
        raise ValueError(
            '`budget` must be like {"epochs": 5}, with one of the units '
            f"{UNITS} and an amount above 0. Received: budget={budget!r}"
        )

    def updates(self, batch_size: int, rows: int) -> int | None:
        """Return how many updates it allows; None if only a clock can tell."""
        an_epoch = -(-rows // batch_size)
        if self.unit == "seconds":
            return None
        if self.unit == "updates":
            return max(1, round(self.amount))
        # Each whole epoch ends with a short batch if rows are left over. What remains
        # of the budget begins one more epoch.
        epochs = self.amount if self.unit == "epochs" else self.amount / rows
        whole = int(epochs)
        rest = round((epochs - whole) * rows)
        return max(1, whole * an_epoch + -(-rest // batch_size))

    def __str__(self) -> str:
        return f"{self.amount:g} {self.unit}"
