"""Dropout that is active in prediction."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.response import response_of
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING


@rule(
    kind="cause",
    explains=(*NOT_LEARNING, "overfitting", "oscillating_loss"),
    needs=("network",),
    live=False,
)
def random_at_inference(run: Run, *, change: float = 0.05) -> Verdict:
    """Run the model twice on the same rows, as `predict` does.

    Dropout should be off in inference. If `call` passes `training=True` to it, units
    are also dropped in `evaluate` and `predict`, so predictions are random and less
    accurate. Some models do this on purpose, to average many predictions.

    Args:
        run: The run.
        change: Minimum difference between two predictions of the same rows, in units of
            the standard deviation over rows.
    """
    found = response_of(run)
    if isinstance(found, Fine):
        return found
    if found.noise != found.noise:
        return Skipped("the model was not run a second time on the same rows")
    layer = found.dropping
    if layer is None or found.noise < change:
        return Fine("repeated predictions are the same")
    return Finding(
        severity="info",
        message=(
            "`predict` gives different results for the same rows, by "
            f"{found.noise:.2g} of their standard deviation: dropout layer '{layer}' "
            "is active outside of training too."
        ),
        risk="warning",
        layer=layer,
        value=found.noise,
        threshold=change,
        unit="standard deviations of the predictions",
        confidence=0.85,
        remedies=(
            suggest.by_hand(
                f"do not pass `training=True` to '{layer}' in `call`",
                "Keras then turns dropout off in `evaluate` and `predict`",
            ),
            suggest.by_hand(
                "kd.layers.mc_predict(model, x)",
                "averages many predictions, if this dropout is intended",
            ),
        ),
    )
