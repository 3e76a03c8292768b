"""Models in which no weight can be trained."""

from __future__ import annotations

from keras_dlbasic.diagnosis import suggest
from keras_dlbasic.diagnosis.rule import Found, Judged, rule
from keras_dlbasic.diagnosis.run import Run


@rule("cause", explains=("plateau", "constant_predictions", "underfitting"))
def nothing_to_train(run: Run) -> Judged:
    """Count trainable weights."""
    n = run.fact("network")["n_trainable_weights"]
    if n == 0:
        return Found(
            "critical",
            "No weight of the model is trainable.",
            remedies=(
                suggest.by_hand(
                    "layer.trainable = True, then compile again",
                    "frozen weights stay as they are",
                ),
            ),
            details={"value": 0.0, "threshold": 1.0},
        )
    return f"{n} trainable weights"
