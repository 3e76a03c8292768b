"""Steps that are too long for the weights or the loss."""

from __future__ import annotations

import math

import numpy as np

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.breakdown import breakdown_of
from keras_dlbasic.diagnosis.early_collapse import has_collapsed
from keras_dlbasic.diagnosis.first_step import broken_start
from keras_dlbasic.diagnosis.rates import Movement, projected_rows
from keras_dlbasic.diagnosis.symptoms import UNSTABLE
from keras_dlbasic.diagnosis.worth_a_note import worth_a_note

EXPLAINS = (
    *UNSTABLE,
    "dead_units",
    "saturated_units",
    "plateau",
    "constant_predictions",
    "underfitting",
)

KEPT = 0.25
"""A loss that rises again by less than this share of its fall has kept what it had."""

MAX_CONFIDENCE_AT_DEFAULT_RATE = 0.7
"""For a rate that is the default of its optimizer or lower: it is then too high for
what else is not as usual, such as inputs that are not scaled."""

BEHIND = 0.1
"""Skill below that of simple predictors from which a run is clearly worse."""

FACTORS, MAX_UPDATE_RATIO = (0.1, 0.01, 0.001), 0.1
"""How much lower the rate may be advised to be, and the longest update, in sizes of the
weights, that it is to lead to."""


@rule(kind="cause", explains=EXPLAINS, needs=("updates",))
def learning_rate_too_high(
    run: Run,
    *,
    blow_up: float = 10.0,
    ratio: float = 0.3,
    layer: float = 1.0,
    growth: float = 10.0,
    climb: float = 3.0,
    replaced: float = 1.0,
    stuck: float = 0.2,
    collapse: float = 0.1,
) -> Verdict:
    """Look for steps after which the loss or the weights blow up.

    Args:
        run: The run.
        blow_up: Minimum ratio of the loss to the larger of the initial loss and that of
            a constant prediction.
        ratio: Minimum update-to-weight ratio of a step. It is about 1e-3 in healthy
            runs (Karpathy 2019; LARS, You et al. 2017); at 0.3 a few steps replace the
            weights.
        layer: The same for one layer, relative to weights of usual size. A step longer
            than the weights replaces them completely.
        growth: Minimum growth of the norm of the weights.
        climb: Minimum ratio of the rate in the last epoch to that in the best epoch, if
            much of the improvement is lost again.
        replaced: Minimum ratio of the first steps for a warning on a run that has
            learned with them, but less than simple predictors, or whose weights have
            grown by `growth` and whose skill is not high.
        stuck: As `ratio`, in a finished run that is no better than a constant
            prediction.
        collapse: The same where most units of a layer died in the first epoch, for
            good, and the steps after that became far shorter.
    """
    movement = run.movement
    is_over = not run.live and not run.is_planned
    if is_over and run.outcome.learned is False:
        ratio = min(ratio, stuck)
        if has_collapsed(run):
            ratio = min(ratio, collapse)
    if broken_start(run) is not None:
        return Fine("values were not finite before the first update")
    rise, step = _rise(run)
    climbed, best = _climb(run)
    evidence = {
        "rise_of_loss": rise,
        "update_ratio": movement.first,
        "update_ratio_of_layer": movement.worst,
        "growth_of_weights": movement.growth,
        "climb_of_rate": climbed,
    }
    limits = {
        "rise_of_loss": blow_up,
        "update_ratio": ratio,
        "update_ratio_of_layer": layer,
        "growth_of_weights": growth,
        "climb_of_rate": climb,
    }
    # Each sign is measured in units of its own limit. The largest one is reported, and
    # the number of those above their limits sets the confidence.
    signs = {name: (evidence[name] or 0.0) / limits[name] for name in limits}
    sign = max(signs, key=lambda name: np.nan_to_num(signs[name], posinf=1e9))
    if not signs[sign] > 1:
        return Fine(f"largest update-to-weight ratio at the start {movement.first:.2g}")
    shown = _said(sign, evidence, movement, best)
    of_layer = sign == "update_ratio_of_layer"
    strong = sum(value > 1 for value in signs.values())
    has_grown = movement.growth >= growth and _is_partial(run)
    is_harmful = movement.first >= replaced and (has_grown or _is_behind(run))
    most = MAX_CONFIDENCE_AT_DEFAULT_RATE if _is_usual(run) else 0.9
    return Finding(
        severity="warning" if is_harmful else "info",
        message=f"The learning rate is too high: {shown}.",
        risk="critical",
        step=step,
        value=evidence[sign],
        threshold=limits[sign],
        layer=movement.worst_layer if of_layer else None,
        confidence=min(most, 0.6 + 0.1 * strong),
        note=worth_a_note(run),
        evidence=evidence,
        remedies=(
            suggest.lower_learning_rate("shortens every step", _factor(movement)),
            suggest.range_test("finds the highest one that works"),
            suggest.gradient_clipping("limits the length of the steps"),
        ),
    )


def _is_behind(run: Run) -> bool:
    """Return whether a finished run is clearly worse than a simple predictor.

    Small weights that are replaced in a step are no harm by themselves.
    """
    skill, reference = run.outcome.skill, run.outcome.reference
    if run.live or run.is_planned or skill is None or reference is None:
        return False
    return skill < reference - BEHIND


def _is_partial(run: Run) -> bool:
    """Return whether a finished run is known to be less than good."""
    is_over = not run.live and not run.is_planned
    return is_over and run.outcome.skill is not None and not run.outcome.is_good


def _is_usual(run: Run) -> bool:
    """Return whether the rate is one that scaled data and usual weights can take."""
    rates = run.record.learning_rate
    rates = rates[np.isfinite(rates)]
    name = run.facts.inner_optimizer_name
    return bool(len(rates) and rates.max() <= (0.01 if name == "SGD" else 0.001) * 1.01)


def _factor(movement: Movement) -> float:
    """Return the power of ten after which the first steps are no longer too long."""
    ratios = [r for r in (movement.first, movement.worst) if math.isfinite(r)]
    longest = max(ratios, default=0.0)
    return next((f for f in FACTORS if longest * f <= MAX_UPDATE_RATIO), FACTORS[-1])


def _said(sign: str, evidence: dict[str, float], movement: Movement, best: int) -> str:
    """Return in a sentence what shows that steps are too long."""
    value = evidence[sign]
    if sign == "rise_of_loss" and not math.isfinite(value):
        return "the loss rose until it was infinite"
    return {
        "rise_of_loss": f"the loss rose to {value:.3g} times its initial value",
        "update_ratio": f"a single step changed the weights by {value:.0%} of their "
        "size",
        "update_ratio_of_layer": "a single step changed the weights of layer "
        f"'{movement.worst_layer}' by {value:.0%} of their size",
        "growth_of_weights": f"the weight norm grew by a factor of {value:.3g}",
        "climb_of_rate": f"since the best epoch ({best + 1}) it rose by a factor of "
        f"{value:.3g}, and the loss rose with it",
    }[sign]


def _climb(run: Run) -> tuple[float, int]:
    """Return how far the rate rose after the best epoch, and the number of that epoch.

    It counts as one where the loss kept at least three quarters of its fall, and where
    the rates are not known.
    """
    rates, epochs = run.record.learning_rate, run.record.step_epochs
    losses = np.where(np.isfinite(run.loss), run.loss, np.inf)
    if len(losses) < 3 or not np.isfinite(losses.min()):
        return 1.0, 0
    best = int(np.argmin(losses))
    then = rates[epochs == run.numbers[best]]
    fall = losses[0] - losses[best]
    # a loss that never fell was not lost to a rate that rose later
    if not fall > 0 or losses[-1] - losses[best] < KEPT * fall:
        return 1.0, best
    if not len(then) or not np.median(then) > 0:
        return 1.0, best
    return float(rates[-1] / np.median(then)), int(run.numbers[best])


def _rise(run: Run) -> tuple[float, int | None]:
    """Return how far the loss rose, relative to where it began, and at which step.

    It rose beyond all numbers where it is NaN and steps that came before were long:
    a logarithm of zero makes a loss NaN at any rate.
    """
    try:
        descent = run.descent
    except Skipped:  # no epoch has a finite loss
        lost = breakdown_of(run)
        is_long = lost is not None and lost.lost != "loss" and lost.was_announced()
        return (math.inf if is_long else 0.0), None
    reference = max(abs(descent.first), descent.scale)
    # the first step also brings initial weights within their constraints
    losses = run.record.batch_loss[: 1 + projected_rows(run.record)]
    if len(losses) > 1 and np.isfinite(losses[-1]):
        reference = max(reference, abs(float(losses[-1])))
    rise = descent.highest / reference if reference > 0 else 0.0
    return rise, descent.highest_step
