"""Recurrent layers whose values have grown beyond all measure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keras_dlbasic.diagnosis.run import Run

UNLIMITED = (
    "elu",
    "exponential",
    "gelu",
    "leaky_relu",
    "linear",
    "relu",
    "selu",
    "silu",
    "softplus",
)
"""Activations that give values as large as they are given."""

GROWN = 100.0
"""Mean square of outputs that counts. With tanh it is below 1."""


@dataclass(frozen=True)
class Growth:
    """A recurrent layer without a limit, and how large its values were.

    Attributes:
        layer: Its label.
        activation: The activation of its cells.
        square: Largest mean square of its outputs, at any look.
    """

    layer: str
    activation: str
    square: float


def recurrent_growth(run: Run, square: float = GROWN) -> Growth | None:
    """Return the first recurrent layer whose values have grown; None if none has.

    Args:
        run: The run.
        square: Mean square of the outputs from which they have.
    """
    table = run.record.tables.get("activations")
    if table is None or not len(table):
        return None
    for facts in run.facts.layers:
        activation = facts.cell_activation
        if activation not in UNLIMITED or facts.label not in table.labels:
            continue
        place = table.labels.index(facts.label)
        squares = table["variance"][:, place] + table["mean"][:, place] ** 2
        # values that were lost by the next look had grown before
        finite = squares[np.isfinite(squares)]
        if len(finite) and finite.max() > square:
            return Growth(facts.label, str(activation), float(finite.max()))
    return None
