"""A validation loss that rises while the training loss falls."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from keras_dlbasic.analysis.is_error import is_error
from keras_dlbasic.analysis.is_gain import is_gain
from keras_dlbasic.diagnosis import (
    Finding,
    Fine,
    Run,
    Verdict,
    rule,
    suggest,
)
from keras_dlbasic.diagnosis.generalization import (
    never_generalized,
    predictors_find_nothing,
)
from keras_dlbasic.diagnosis.inference_gap import inference_of
from keras_dlbasic.diagnosis.momentum_advice import faster_momentum, still_lags

REMEDIES = (
    suggest.early_stopping("keeps the weights of the best epoch, at no cost"),
    suggest.penalty("small weights fit noise less; train a new model with it"),
    suggest.dropout("units cannot rely on each other; train a new model", 0.3),
    suggest.augmentation("gives more varied images, if the labels stay correct"),
    suggest.smaller_model("a smaller model, with new weights, can memorize less"),
)

ERRORS = 3.0

NO_ZERO = ("poisson",)
"""Losses that are not zero where all is right."""

FALLING = 0.1
"""A fall by this share of a constant prediction's loss in the second half goes on."""

FEW_EPOCHS = 8
"""With no more epochs a large rise may be too young to be told from noise."""

STILL_CLOSES = 0.1
"""A fall of the validation loss in the second half by this share of the difference to
the training loss goes on."""

METRIC_APART = 0.05
"""Shares such as accuracies that differ by less are nearly the same."""

ERROR_APART = 1.25
"""Errors are nearly the same if the larger one is less than this times the other."""

LARGEST = 50.0
"""Logarithm of a ratio of losses; larger ones tell no more."""

GIVE_ROWS = suggest.by_hand(
    "TrainingDoctor(x, y, validation_data=(val_x, val_y))",
    "checks whether validation rows are scaled, ordered and labeled alike",
)

CHECK_ROWS = suggest.check_rows(
    "simple predictors learn nothing from these inputs either"
)


@rule(kind="symptom", needs=("val_loss",), per_output=True)
def overfitting(
    run: Run,
    *,
    rise: float = 0.05,
    lost: float = 0.1,
    trifle: float = 0.02,
    much: float = 0.5,
    memorised: float = 0.05,
    unknown: float = 0.25,
    little: float = 0.25,
    young: float = 0.25,
    gap: float = 0.25,
) -> Verdict:
    """Judge the curves as `analysis.detect_overfitting` does, and measure the harm.

    A loss near zero can double without harm. The harm is the share of the improvement
    that is lost again: the rise of the validation loss divided by its fall from the
    loss of a constant prediction (or from the first epoch, if that is not known).
    Overfitting does not require a rise. If the validation loss is a large share of that
    of a constant prediction and the training loss is nearly zero, the model has
    memorized its training rows, unless the validation loss is still falling. Validation
    rows with another distribution, or moving statistics of batch normalization that lag
    behind, look the same in the curves. If these cannot be ruled out, the finding says
    so and is a note.

    Args:
        run: The run.
        rise: Minimum relative rise of the validation loss for a warning. For `n`
            validation rows it is at least `1.5 / sqrt(n)`: about the standard error of
            a mean loss whose standard deviation is similar to its mean.
        lost: Minimum share of the improvement that is lost, for a warning.
        trifle: Below this share there is not even a note.
        much: Minimum share of the improvement that is lost, for a critical finding.
        memorised: A model counts as memorizing if its training loss is at most this
            share of a constant prediction's loss, and its validation loss is high (see
            `unknown`).
        unknown: The validation loss is high if it is at least this share of a constant
            prediction's loss, plus three standard errors. (The standard error is that
            of a loss that is concentrated on this share of the rows.)
        little: Up to this share of the improvement, a rise is a note if the validation
            metric does not get worse: predictions become overconfident, not more often
            wrong.
        young: Minimum relative rise for a note if a run with few epochs ends above its
            lowest validation loss and nothing is detected.
        gap: Minimum difference of validation and training loss that does not close, as
            a share of the first training loss. It counts where only curves are known,
            and so no loss of a constant prediction.
    """
    verdict = run.overfitting
    planned = run.facts.epochs
    # Whoever stops early lets it overfit a little, to see it, and takes what is best.
    stopped = planned is not None and len(run.numbers) < planned and not run.live
    is_memorised = (
        not stopped and not run.live and _is_memorised(run, memorised, unknown)
    )
    if not verdict.detected and not is_memorised:
        lasting = None if stopped else _lasting_gap(run, gap)
        return lasting or _too_young(run, young) or Fine(verdict.reason)
    if not verdict.detected:
        return _with_doubt(run, _memorised(run, unknown))
    rows = run.facts.validation.n_rows if run.facts.validation else None
    # few validation rows make a rise that other rows would not show
    least = max(rise, 1.5 / math.sqrt(rows)) if rows else rise
    share = _lost(run)
    severity: Any = "info"
    # The rise does harm if it is more than few rows explain, costs a good part of what
    # was learned, and neither a stop nor a metric that held up makes it harmless.
    still = _still_as_good(run, share, little)
    if verdict.rise >= least and share >= lost and not stopped and not still:
        severity = "critical" if share >= much else "warning"
    elif is_memorised:
        return _with_doubt(run, _memorised(run, unknown))
    if severity == "info" and share < trifle:
        return Fine(f"{share:.1%} of the improvement in validation loss is lost again")
    message = f"{verdict.reason} {_in_words(share)}"
    if stopped:
        message += " The run was stopped early."
    if still:
        message += f" However, `{still}` did not get worse."
    finding = Finding(
        severity=severity,
        message=message,
        epoch=verdict.onset,
        value=share if math.isfinite(share) else None,
        threshold=lost,
        unit="share of what was learned",
        confidence=verdict.confidence,
        evidence={
            "rise": verdict.rise,
            "least_rise": least,
            "statistic": verdict.turn.statistic,
            "statistic_threshold": verdict.turn.threshold,
        },
        remedies=(CHECK_ROWS, *REMEDIES) if _finds_nothing(run) else REMEDIES,
    )
    return _with_doubt(run, finding)


def _lasting_gap(run: Run, gap: float) -> Finding | None:
    """Return a finding on a validation loss that stays far above the training loss."""
    if not run.has_curves_only or run.live or len(run.loss) != len(run.val_loss):
        return None
    known = np.isfinite(run.val_loss) & np.isfinite(run.loss)
    val, loss = run.val_loss[known], run.loss[known]
    if len(val) <= FEW_EPOCHS or min(val.min(), loss.min()) < 0 or not loss[0] > 0:
        return None
    late = val[len(val) // 2 :]
    known_left, left = float(np.median(loss[-3:])), float(np.median(val[-3:]))
    apart = left - known_left
    falls = float(np.median(late[:3])) - left > STILL_CLOSES * apart
    has_learned = known_left <= loss[0] / 2
    if falls or not has_learned or left < 2 * known_left or apart < gap * loss[0]:
        return None
    metric = _metric_apart(run)
    if metric == "":  # the metric is nearly the same, whatever the loss
        return None
    if metric is None:
        severity: Any = "info"
        meaning = (
            "The curves alone do not tell why: sample or class weights may make the "
            "training loss small. If there are none, most of what the model learned "
            "does not hold for the validation samples."
        )
    else:
        severity = "warning"
        meaning = (
            f"{metric} Most of what the model learned does not hold for the validation "
            "samples: it has memorized the training samples, or the two differ (in "
            "scaling or labels, say)."
        )
    return Finding(
        severity=severity,
        message=(
            f"The validation loss stays far above the training loss: it ends at "
            f"{left:.3g}, the training loss at {known_left:.3g}. {meaning}"
        ),
        value=apart / float(loss[0]),
        threshold=gap,
        unit="share of the first training loss",
        confidence=0.7 if metric else 0.5,
        evidence={"loss": known_left, "val_loss": left},
        remedies=(GIVE_ROWS, *REMEDIES[1:]),
    )


def _metric_apart(run: Run) -> str | None:
    """Return a text on the metric that differs most; empty if none does.

    Weights of samples count in the loss, and not in metrics. Shares tell more than
    errors, which large ones of few samples dominate. None if there are neither.
    """
    shares, errors = [], []
    for name in sorted(run.record.epochs):
        if name.startswith("val_") or f"val_{name}" not in run.record.epochs:
            continue
        values = run.curve(name)[-3:], run.curve(f"val_{name}")[-3:]
        if not np.isfinite(np.r_[values]).all() or np.min(np.r_[values]) < 0:
            continue
        own, other = (float(np.median(part)) for part in values)
        if is_gain(name) and np.max(np.r_[values]) <= 1:
            shares.append((own - other, name, own, other))
        elif is_error(name) and own > 0:
            errors.append((other / own, name, own, other))
    if not shares and not errors:
        return None
    apart, name, own, other = max(shares or errors)
    if apart < (METRIC_APART if shares else ERROR_APART):
        return ""
    return f"`{name}` ends at {own:.3g} in training, and at {other:.3g} in validation."


def _too_young(run: Run, young: float) -> Finding | None:
    """Return a remark on a large rise that has too few epochs to be told from noise."""
    if len(run.loss) != len(run.val_loss):  # no training loss was logged
        return None
    known = np.isfinite(run.val_loss) & np.isfinite(run.loss)
    val, loss = run.val_loss[known], run.loss[known]
    if run.live or not 3 <= len(val) <= FEW_EPOCHS or not val.min() > 0:
        return None
    # One epoch may be a bad one, so the last two have to be up; and a training loss
    # that rises as well would be another matter.
    turn = int(np.argmin(val))
    # in logarithms: a ratio of finite losses may be beyond what a float holds
    above = np.expm1(np.minimum(np.log(val[turn + 1 :]) - np.log(val[turn]), LARGEST))
    is_up = len(above) > 1 and bool((above[-2:] >= young).all())
    has_few = run.overfitting.pattern in ("plateau", "too_short")
    if not (is_up and has_few and loss[-1] < loss[turn]):
        return None
    return Finding(
        severity="info",
        message=(
            f"The validation loss ends {above[-1]:.0%} above its lowest value, "
            f"of epoch {int(run.numbers[known][turn]) + 1}, while the training loss "
            f"falls. These are too few epochs ({len(val)}) to tell overfitting from "
            "noise; a few more would show it."
        ),
        value=float(above[-1]),
        threshold=young,
        unit="relative rise",
        confidence=0.5,
        remedies=REMEDIES[:1],
    )


def _still_as_good(run: Run, share: float, little: float) -> str:
    """Return the validation metric that is as good as it was when the loss turned."""
    onset = run.overfitting.onset
    if onset is None or not share < little:
        return ""
    turn = int(np.searchsorted(run.numbers, onset))
    for name in sorted(run.record.epochs):
        values = run.curve(name)
        if not name.startswith("val_") or not is_gain(name):
            continue
        then, now = values[max(0, turn - 1) : turn + 2], values[-3:]
        if np.isfinite(np.r_[then, now]).all() and np.median(now) >= np.median(then):
            return name
    return ""


def _with_doubt(run: Run, finding: Finding) -> Finding:
    """Say what looks the same in the curves, where nothing rules it out."""
    doubt, remedies = "", finding.remedies
    updates, momentum = run.record.trained_steps, _slowest_momentum(run)
    if still_lags(momentum, updates):
        doubt = (
            " Or the moving statistics of batch normalization lag behind: after few "
            "updates they are still near their initial values, which makes `evaluate` "
            "worse than training on the same rows."
        )
        lower = faster_momentum(momentum, updates)
        remedies = remedies if lower is None else (lower, *remedies)
    elif run.facts.validation is None and never_generalized(run):
        doubt = (
            " Validation rows that differ in scaling, order of columns or labels look "
            "the same; only the validation data can show which it is."
        )
        remedies = (GIVE_ROWS, *remedies)
    if not doubt:
        return finding
    message = f"{finding.message}{doubt}"
    return replace(finding, severity="info", message=message, remedies=remedies)


def _slowest_momentum(run: Run) -> float:
    """Return the highest momentum of moving statistics; 0 where inference was tried."""
    if inference_of(run) is not None:
        return 0.0  # measured: `normalization_lag` says it where they lag
    momenta = (
        layer.momentum
        for layer in run.facts.layers
        if layer.batch_normalizes and layer.trainable and layer.momentum is not None
    )
    return max(momenta, default=0.0)


def _finds_nothing(run: Run) -> bool:
    return predictors_find_nothing(run) and never_generalized(run) is True


def _in_words(share: float) -> str:
    if not math.isfinite(share):
        return (
            "The validation loss was never better than that of a constant prediction."
        )
    if share >= 1:
        return "All of the improvement in validation loss is lost again."
    return f"{share:.0%} of the improvement in validation loss is lost again."


def _lost(run: Run) -> float:
    """Return the share of the fall of the validation loss that it rose again."""
    turn = run.overfitting.turn
    val = run.val_loss[np.isfinite(run.val_loss)]
    start = run.outcome.baseline
    if start is None:
        loss = run.loss[np.isfinite(run.loss)]
        start = float(max(val[0], loss[0] if len(loss) else val[0]))
    gained = start - turn.lowest
    lost = turn.last - turn.lowest
    return lost / gained if gained > 0 else math.inf


def _shares(run: Run) -> tuple[float, float]:
    """Return the shares of the baseline loss left in training and validation."""
    outcome, val = run.outcome, run.val_loss[np.isfinite(run.val_loss)]
    if outcome.loss_saved is None or not outcome.baseline or not len(val):
        return math.inf, 0.0
    # a share is one of a loss whose lowest value is zero; likelihoods have none
    has_zero = run.loss_kind.name not in NO_ZERO and outcome.baseline > 0
    if not has_zero or np.nanmin(np.r_[run.loss, val]) < 0:
        return math.inf, 0.0
    return 1 - outcome.loss_saved, float(np.median(val[-3:])) / outcome.baseline


def _is_memorised(run: Run, memorised: float, unknown: float) -> bool:
    known, left = _shares(run)
    rows = run.facts.validation.n_rows if run.facts.validation else None
    # sure mistakes on a few rows make up most of such a loss: their number is its noise
    least = unknown * (1 + ERRORS / math.sqrt(rows * unknown)) if rows else unknown
    return known <= memorised and left >= least and not _still_falls(run)


def _still_falls(run: Run) -> bool:
    """Return whether the validation loss ends at its lowest, after a clear fall."""
    val = run.val_loss[np.isfinite(run.val_loss)]
    baseline = run.outcome.baseline
    if len(val) < 3 or not baseline:
        return False
    late = val[len(val) // 2 :]
    fell = float(late[0] - late[-1])
    return bool(late[-1] <= val.min()) and fell > FALLING * abs(baseline)


def _memorised(run: Run, unknown: float) -> Finding:
    known, left = _shares(run)
    return Finding(
        severity="warning",
        message=(
            f"The model has memorized the training samples: its loss is {known:.1%} of "
            f"the baseline loss on them, and {left:.0%} on validation samples."
        ),
        value=left,
        threshold=unknown,
        unit="share of the baseline loss",
        confidence=0.8,
        evidence={"training": known},
        remedies=REMEDIES,
    )
