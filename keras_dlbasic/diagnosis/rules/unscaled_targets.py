"""Targets of a size that outputs do not begin with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.rates import is_adaptive
from keras_dlbasic.diagnosis.reasons import UNKNOWN_LOSS
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING, UNSTABLE
from keras_dlbasic.records.data_facts import TargetFacts
from keras_dlbasic.records.probe_facts import ColumnFacts

EXPLAINS = (*NOT_LEARNING, *UNSTABLE, "dead_units")


SLOWER = 3.0
"""Steps that are as long as the gradient shrink with the targets: more are small."""

FAR = 1.0
"""Distance of the mean of the targets from 0, in standard deviations."""

SHORT_WAY = 0.1
"""Length of all updates, in units of the weights' norm, that leads nowhere."""

NEAR = 10.0
"""Times the loss of a constant prediction up to which a loss is near it."""


RELATIVE = ("mean_absolute_percentage_error", "mean_squared_logarithmic_error")
"""Losses that depend on all columns alike, whatever their scale."""


@rule(kind="cause", explains=EXPLAINS, per_output=True)
def unscaled_targets(
    run: Run,
    *,
    large: float = 10.0,
    small: float = 0.01,
    narrow: float = 0.02,
    apart: float = 10.0,
    learned: float = 0.5,
    found: float = 0.3,
    share: float = 0.3,
    offset: float = 0.5,
    dominated: float = 0.9,
    rare: float = 0.02,
) -> Verdict:
    """Compare the scale of regression targets with 1.

    The outputs of an untrained network are of the order of one. With large targets, the
    gradients of a squared error are large. Adaptive optimizers need many steps instead,
    because their step size does not depend on the error.

    It is a warning if columns of the targets differ in scale, and the model has learned
    the large ones but not the small ones, which simple predictors predict on rows that
    they were not fitted to. Or the predictions are off by a constant for the most part
    at the end, and the targets are far from 0, where outputs begin.

    Masks of 0 and 255 under a custom loss, or divided by 255 twice, do not fit a
    sigmoid. A few targets that are far from all others are named first under a squared
    error: to scale the targets does not help then.

    Args:
        run: The run.
        large: Minimum root mean square of large targets.
        small: Maximum root mean square of small targets: three times as large without
            an adaptive optimizer, whose steps do not shrink with the errors.
        narrow: Maximum standard deviation of nearly constant targets, as a share of the
            root mean square: ratios near 1, years, pressures.
        apart: Minimum ratio of the standard deviations of columns.
        learned: Minimum skill of the model for a large column.
        found: Minimum skill of a simple predictor for a small column.
        share: Maximum skill of the model for a small column, as a share of that of the
            simple predictor.
        offset: Minimum share of the loss that a constant would save at the end of a run
            that is worse than a constant prediction.
        dominated: Minimum share of the variance of the targets that comes from a few
            values more than 30 robust standard deviations from the median.
        rare: Maximum share of the targets that are such values.
    """
    target = run.target
    if masks := _as_bytes(run, target):
        return masks
    if run.loss_kind.family not in ("values", "unknown"):
        return Fine("the targets are classes")
    size = target.rms
    if run.task is TaskKind.UNKNOWN and target.kind == "whole_numbers":
        return Skipped(UNKNOWN_LOSS)
    if target.kind in ("binary", "one_hot", "multi_label", "probabilities"):
        return Fine("the targets are 0 and 1")
    columns = _scored_columns(run)
    greatest = max((one.std for one in columns if one.skill >= learned), default=0.0)
    missed = [
        place
        for place, one in enumerate(columns)
        if one.reference >= found
        and one.skill < share * one.reference
        and 0 < apart * one.std <= greatest
    ]
    if missed:
        return _columns_apart(columns, missed, greatest, apart)
    if _scales_output(run):
        return Fine("a layer of the model scales the output")
    is_squared = run.loss_kind.name == "mean_squared_error"
    is_far = target.far_part >= dominated and target.far_share <= rare
    if is_squared and is_far and not _has_hardly_moved(run):
        return _far_from_others(target, dominated)
    small *= 1 if is_adaptive(run.facts.inner_optimizer_name) else SLOWER
    if size > large or 0 < size < small:
        return _of_size(target, large, small)
    if (finding := _far_away(run, offset)) is not None:
        return finding
    is_narrow = 0 < target.std < narrow * size and not target.is_constant
    if is_narrow and not _starts_near(run):
        return _narrow(target.mean, target.std / size, narrow)
    return Fine(f"root mean square {size:.3g}")


def _of_size(target: TargetFacts, large: float, small: float) -> Finding:
    """Report targets that are all large, or all small."""
    size = target.rms
    lower = suggest.lower_learning_rate("gradients grow with the targets")
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
            *((lower,) if size > large else ()),
        ),
    )


def _as_bytes(run: Run, target: TargetFacts) -> Finding | None:
    """Look for masks that were divided by 255 once too often, or not at all."""
    outputs = run.facts.outputs
    if len(outputs) != 1 or outputs[0].activation != "sigmoid" or target.min != 0:
        return None
    shape, output = target.shape, outputs[0].shape
    is_mask = bool(shape and output and len(shape) > 2 and shape[1:] == output[1:])
    if not is_mask:
        return None
    is_raw = target.distinct == (0, 255) and run.loss_kind.family == "unknown"
    is_divided = abs(255 * target.max - 1) < 0.01
    if not (is_raw or is_divided):
        return None
    losses = run.loss[np.isfinite(run.loss)]
    # one less an overlap of probabilities is not below zero
    is_beyond = is_raw and bool(len(losses) and losses[-1] < 0)
    done = "were probably divided by 255 twice" if is_divided else "are bytes"
    return Finding(
        severity="warning" if is_beyond else "info",
        message=(
            f"The targets are from 0 to {target.max:.3g}, and the output gives "
            f"probabilities from 0 to 1. They are masks that {done}."
        ),
        risk="critical" if is_divided else "warning",
        value=target.max,
        threshold=1.0,
        unit="largest target",
        confidence=0.96,
        remedies=(
            suggest.by_hand(
                "y = (y > 0).astype('float32')",
                "targets of 0 and 1 are what a sigmoid gives",
            ),
        ),
    )


def _far_from_others(target: TargetFacts, limit: float) -> Finding:
    return Finding(
        severity="info",
        message=(
            f"{target.far_share:.2%} of the targets are more than 30 robust standard "
            f"deviations from the median (they range from {target.min:.4g} to "
            f"{target.max:.4g}) and make up {target.far_part:.0%} of the variance. A "
            "squared error then depends on these few values only."
        ),
        risk="critical",
        value=target.far_part,
        threshold=limit,
        unit="share of the variance",
        confidence=0.95,
        evidence={"share": target.far_share},
        remedies=(
            suggest.by_hand(
                "spread = np.subtract(*np.quantile(y, [0.75, 0.25])); "
                "rows = np.flatnonzero(np.abs(y - np.median(y)) > 20 * spread)",
                "shows which targets to correct or to leave out",
            ),
            suggest.by_hand(
                "y = np.sign(y) * np.log1p(np.abs(y))",
                "the others then count, too, if the values are right",
            ),
        ),
    )


def _scales_output(run: Run) -> bool:
    """Return whether a layer behind the last kernel scales the output."""
    layers = run.facts.layers
    kernels = [place for place, layer in enumerate(layers) if layer.has_kernel]
    behind = layers[kernels[-1] + 1 :] if kernels else ()
    return any(layer.scales for layer in behind)


def _scored_columns(run: Run) -> Sequence[ColumnFacts]:
    """Return the columns of a finished run, whose loss must depend on their scale."""
    probe = run.facts.probe
    if probe is None or run.live or run.loss_kind.name in RELATIVE:
        return ()
    return probe.columns or ()


def _columns_apart(
    columns: Sequence[ColumnFacts],
    missed: Sequence[int],
    greatest: float,
    apart: float,
) -> Finding:
    worst = max(missed, key=lambda place: columns[place].reference)
    one = columns[worst]
    large = next(place for place, other in enumerate(columns) if other.std == greatest)
    several = f"columns {', '.join(map(str, missed))} are" if missed[1:] else "it is"
    return Finding(
        severity="warning",
        message=(
            f"The columns of the targets differ in scale: the standard deviation of "
            f"column {large} is {greatest:.3g}, that of column {worst} is "
            f"{one.std:.3g}, so the loss hardly depends on the latter, and {several} "
            f"not learned. The skill of the model is {columns[large].skill:.2f} for "
            f"column {large} and {one.skill:.2f} for column {worst}, that of a simple "
            f"predictor for the latter, on unseen samples, is {one.reference:.2f}."
        ),
        value=greatest / one.std,
        threshold=apart,
        unit="ratio of standard deviations",
        confidence=0.9,
        evidence={"column": float(worst), "reference": one.reference},
        remedies=(suggest.scaled_targets("all columns then count alike in the loss"),),
    )


def _far_away(run: Run, share: float) -> Finding | None:
    """Look for predictions that are still on their way from 0 to the targets."""
    probe, target, skill = run.facts.probe, run.target, run.outcome.skill
    found = None if probe is None else probe.offset
    if found is None or run.live or skill is None or not skill < 0:
        return None
    if _has_hardly_moved(run):
        return None  # with such short steps it would not come to any targets
    saved = (found.loss - found.moved) / found.loss if found.loss > 0 else 0.0
    # it is to go where the targets are, and these are away from where it began
    is_away = abs(target.mean) >= FAR * target.std and found.shift * target.mean > 0
    if not saved >= share or not is_away:
        return None
    side = "below" if found.shift > 0 else "above"
    return Finding(
        severity="info",
        message=(
            f"The targets are far from 0, where outputs begin: their mean is "
            f"{target.mean:.3g} and their standard deviation {target.std:.3g}. At the "
            f"end the predictions are still {abs(found.shift):.3g} {side} them on "
            f"average. This makes up {saved:.0%} of the loss on training samples."
        ),
        risk="critical",
        value=saved,
        threshold=share,
        unit="share of the loss",
        confidence=0.75,
        evidence={"shift": found.shift},
        remedies=(
            suggest.scaled_targets("outputs and targets then begin near each other"),
            suggest.by_hand(
                f"start the bias of the last layer at the mean, {target.mean:.3g}",
                "the model then only has to learn the differences",
            ),
        ),
    )


def _has_hardly_moved(run: Run) -> bool:
    try:
        return run.movement.path < SHORT_WAY
    except Skipped:
        return False


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
