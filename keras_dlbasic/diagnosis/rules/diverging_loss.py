"""A training loss that ends above where it began."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest


@rule(kind="symptom", needs=("loss",), live=False, decides="loss")
def diverging_loss(run: Run, *, above: float = 1.5) -> Verdict:
    """Compare the last training loss with the first, and with a constant prediction.

    Args:
        run: The run.
        above: Minimum ratio of the last loss to the larger of the two for a finding.
            Training lowers the loss, so any ratio above 1 is wrong in principle. The
            default of 1.5 allows for dropout, class weights and the noise of single
            batches.
    """
    descent = run.descent
    before = descent.first if descent.n_epochs > 1 else descent.scale
    reference = max(before, descent.scale if descent.has_baseline else before)
    ratio = descent.last / reference if reference > 0 else 0.0
    # A loss that ends near its lowest does not diverge, wherever it began.
    if reference > 0 and ratio > above and descent.last > above * descent.lowest:
        return Finding(
            severity="critical",
            message=(
                f"The training loss diverges: it increased from {reference:.4g} at the "
                f"start to {descent.last:.4g} at the end, by a factor of {ratio:.3g}."
            ),
            value=ratio,
            threshold=above,
            unit="times the first loss",
            confidence=0.95,
            remedies=(
                suggest.lower_learning_rate("long steps overshoot the minimum"),
                suggest.gradient_clipping(
                    "a single large gradient then cannot ruin the weights"
                ),
            ),
        )
    return Fine(f"the training loss ends at {ratio:.3g} times its value at the start")
