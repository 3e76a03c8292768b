"""A training loss that ends above where it began."""

from __future__ import annotations

from keras_dlbasic.diagnosis import suggest
from keras_dlbasic.diagnosis.curves import descent_of
from keras_dlbasic.diagnosis.rule import Found, Judged, rule
from keras_dlbasic.diagnosis.run import Run


@rule("symptom", live=False)
def diverging_loss(run: Run, *, above: float = 1.5) -> Judged:
    """Compare the end of the training loss with its begin and with a constant answer.

    Args:
        run: The run.
        above: How many times the larger of the two the last epochs' loss has to be.
            Training lowers its loss, so any factor above 1 is wrong in principle; 1.5
            leaves room for dropout, class weights and the noise of single batches.
    """
    descent = descent_of(run)
    before = descent.first if descent.n_epochs > 1 else descent.scale
    reference = max(before, descent.scale if descent.has_baseline else before)
    ratio = descent.last / reference if reference > 0 else 0.0
    if reference > 0 and ratio > above and descent.last > above * descent.lowest:
        return Found(
            "critical",
            f"The training loss ends at {descent.last:.4g}, {ratio:.3g} times the "
            f"{reference:.4g} that it began with.",
            remedies=(
                suggest.lower_learning_rate("steps overshoot"),
                suggest.gradient_clipping("rare large gradients throw the weights off"),
            ),
            details={"value": ratio, "threshold": above, "confidence": 0.95},
        )
    return f"the training loss ends at {ratio:.3g} times its begin"
