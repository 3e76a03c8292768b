"""Dropout behind the layer that gives the output."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.dropout_cost import dropout_cost
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING


@rule(
    kind="cause",
    explains=(
        *NOT_LEARNING,
        "diverging_loss",
        "oscillating_loss",
        "non_finite_values",
    ),
    needs=("network",),
)
def misplaced_dropout(run: Run, *, lost: float = 0.1) -> Verdict:
    """Look for dropout that sets predictions to zero.

    Dropout after the output layer does not hide units from another layer. In training,
    random predictions are 0, and the loss includes their errors.

    Args:
        run: The run.
        lost: Minimum share of the improvement that is lost with dropout on for a
            warning.
    """
    rates = {f.label: f.dropout for f in run.layers if f.dropout}
    behind = [output.name for output in run.model.outputs if output.name in rates]
    if not behind or behind[0] is None:
        return Fine("no dropout after the output layer")
    layer = behind[0]
    cost = None if run.is_planned else dropout_cost(run)
    observed = (
        ""
        if cost is None
        else f" With dropout on, {max(0.0, cost):.0%} of what was learned is lost."
    )
    return Finding(
        severity="warning" if cost is not None and cost > lost else "info",
        message=(
            f"Dropout layer '{layer}' comes after the output layer, so training sets "
            f"{rates[layer]:.0%} of the predictions to 0.{observed}"
        ),
        risk="critical",
        layer=layer,
        value=cost,
        threshold=lost,
        unit="share of what was learned",
        confidence=0.95,
        remedies=(
            suggest.by_hand(
                f"remove '{layer}', or move it before the output layer",
                "the loss must see the predictions themselves",
            ),
        ),
    )
