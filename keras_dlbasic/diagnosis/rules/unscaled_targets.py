"""Targets of a size that outputs do not begin with."""

from __future__ import annotations

from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.reasons import UNKNOWN_LOSS
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING, UNSTABLE

EXPLAINS = (*NOT_LEARNING, *UNSTABLE, "dead_units")


NEAR = 10.0
"""Times the loss of a constant prediction up to which a loss is near it."""


@rule(kind="cause", explains=EXPLAINS, per_output=True)
def unscaled_targets(
    run: Run, *, large: float = 10.0, small: float = 0.01, narrow: float = 0.02
) -> Verdict:
    """Compare the scale of regression targets with 1.

    The outputs of an untrained network are of the order of one. With large targets, the
    gradients of a squared error are large. Adaptive optimizers need many steps instead,
    because their step size does not depend on the error.

    Args:
        run: The run.
        large: Minimum root mean square of large targets.
        small: Maximum root mean square of small targets.
        narrow: Maximum standard deviation of nearly constant targets, as a share of the
            root mean square: ratios near 1, years, pressures.
    """
    if run.loss_kind.family not in ("values", "unknown"):
        return Fine("the targets are classes")
    target = run.target
    size = target.rms
    if run.task is TaskKind.UNKNOWN and target.kind == "whole_numbers":
        return Skipped(UNKNOWN_LOSS)
    if target.kind in ("binary", "one_hot", "multi_label", "probabilities"):
        return Fine("the targets are 0 and 1")
    if _scales_output(run):
        return Fine("a layer of the model scales the output")
    if size > large or 0 < size < small:
        return Finding(
            severity="info",
            message=(
                f"The targets are not scaled: their root mean square is {size:.4g} "
                f"and their standard deviation {target.std:.4g}, but a new model "
                "outputs values of about 1."
            ),
            risk="critical",
            value=size,
            threshold=large if size > large else small,
            unit="root mean square",
            confidence=0.8 + 0.1 * (size > 10 * large),
            remedies=(
                suggest.scaled_targets("outputs and targets then have the same scale"),
                suggest.lower_learning_rate("gradients grow with the targets"),
            ),
        )
    is_narrow = 0 < target.std < narrow * size and not target.is_constant
    if is_narrow and not _starts_near(run):
        return _narrow(target.mean, target.std / size, narrow)
    return Fine(f"root mean square {size:.3g}")


def _scales_output(run: Run) -> bool:
    """Return whether a layer behind the last kernel scales the output."""
    layers = run.facts.layers
    kernels = [place for place, layer in enumerate(layers) if layer.has_kernel]
    behind = layers[kernels[-1] + 1 :] if kernels else ()
    return any(layer.scales for layer in behind)


def _narrow(mean: float, share: float, narrow: float) -> Finding:
    return Finding(
        severity="info",
        message=(
            f"The targets vary little: their mean is {mean:.4g}, and their standard "
            f"deviation is {share:.2%} of their root mean square. A model that "
            "predicts the mean has a low loss, and the differences are smaller than "
            "its steps."
        ),
        risk="critical",
        value=share,
        threshold=narrow,
        unit="share of the root mean square",
        confidence=0.85,
        remedies=(
            suggest.scaled_targets("the targets then have standard deviation 1"),
        ),
    )


def _starts_near(run: Run) -> bool:
    """Return whether the first predictions were near: a bias may be set to the mean."""
    table, baseline = run.record.tables.get("probe"), run.outcome.baseline
    if table is None or not len(table) or not baseline:
        return False
    return bool(table["loss"][0, 0] < NEAR * abs(baseline))
