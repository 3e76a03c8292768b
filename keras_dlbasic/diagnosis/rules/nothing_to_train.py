"""Models in which no weight can be trained."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest


@rule(
    kind="cause",
    explains=("plateau", "constant_predictions", "underfitting"),
    needs=("network",),
)
def nothing_to_train(run: Run) -> Verdict:
    """Count trainable weights."""
    n = run.n_trainable_weights
    if n == 0:
        return Finding(
            severity="critical",
            message="No weight of the model is trainable, so training changes nothing.",
            value=0.0,
            threshold=1.0,
            unit="weights",
            remedies=(
                suggest.by_hand(
                    "layer.trainable = True, then compile again",
                    "frozen weights are not updated",
                ),
            ),
        )
    return Fine(f"{n} trainable weights")
