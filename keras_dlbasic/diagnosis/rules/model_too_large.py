"""More weights than the data can determine."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.generalization import (
    does_not_transfer,
    never_generalized,
)


@rule(kind="cause", explains=("overfitting",), needs=("data", "network"), live=False)
def model_too_large(run: Run, *, weights_per_row: float = 1.0) -> Verdict:
    """Compare the number of weights with that of the training rows.

    Most modern networks have more weights than rows and generalize well. So the number
    of weights only counts if the model had learned something and then its validation
    loss rose, and not if simple predictors also fail on the validation rows.

    Args:
        run: The run.
        weights_per_row: Minimum number of weights per row and output. With one, a model
            can fit all points; the curves show whether it does.
    """
    if never_generalized(run):
        return Fine(
            "validation was never better than a constant prediction: see the data"
        )
    if does_not_transfer(run):
        return Fine("simple predictors fail on the validation rows too: see the data")
    n, rows = run.n_trainable_weights, run.data.n_rows or 0
    value = n / rows if rows else 0.0
    if rows and value > weights_per_row:
        return Finding(
            severity="info",
            message=(
                f"The model has {n} trainable weights for {rows} training rows, enough "
                "to memorize them."
            ),
            # a gap without a turn says nothing about the number of weights
            risk="critical" if _has_turned(run) else None,
            value=value,
            threshold=weights_per_row,
            unit="weights per row",
            confidence=0.7,
            remedies=(
                suggest.early_stopping(
                    "keeps the weights of the best epoch, at no cost"
                ),
                suggest.penalty("small weights fit noise less"),
                suggest.smaller_model("fewer weights memorize less"),
                suggest.by_hand("add training rows", "noise then averages out"),
            ),
            note=False,
        )
    return Fine(f"{value:.2g} weights per row")


def _has_turned(run: Run) -> bool:
    return bool(np.isfinite(run.val_loss).any()) and run.overfitting.detected
