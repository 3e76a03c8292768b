"""Steps that are too short to get anywhere."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.frozen_judge import trained_judge
from keras_dlbasic.diagnosis.outcome import NOTHING_SAVED
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING
from keras_dlbasic.diagnosis.worth_a_note import worth_a_note

DEFAULT_RATE = 0.01
"""The default of SGD in Keras."""

LEARNABLE = 0.3
"""Skill of simple predictors from which there is something to learn."""


FALLEN = 0.1
"""Share of a loss by which it must fall to have learned something."""

FRESH = 0.01
"""Root mean square of biases below which they are near zero, where they begin."""


@rule(kind="cause", explains=NOT_LEARNING, needs=("updates",), live=False)
def learning_rate_too_low(
    run: Run,
    *,
    ratio: float = 1e-4,
    path: float = 0.3,
    fading: float = 1e-3,
    short: float = 3e-4,
    still: float = 0.1,
    slow: float = 6e-4,
    plain: float = 2e-3,
    way: float = 1.5,
) -> Verdict:
    """Look for weights that hardly change although there are gradients.

    It is a note unless a symptom shows that the model learns little. If the loss does
    not show that, it is a warning if all biases are still near zero, where they begin,
    and the loss has hardly fallen.

    Args:
        run: The run.
        ratio: Maximum median update-to-weight ratio for a finding; it is about 1e-3 in
            healthy runs.
        path: Maximum length of all updates together for a finding, in units of the norm
            of the weights.
        fading: If the relative gradient of a layer is below this share of the largest
            after it, steps may be short because gradients vanish (the threshold of
            `vanishing_gradients`).
        short: Replaces `ratio` if the length of all updates is below `still`.
        still: Maximum length of all updates, in units of the norm of the weights, for
            using `short` instead of `ratio`.
        slow: Replaces `ratio` if the loss is still decreasing at the end. Such steps
            are right for a longer run, so the confidence is lower.
        plain: Replaces `ratio` for SGD without momentum at its default rate or below,
            if the loss is no lower than that of a constant prediction although simple
            predictors learn from the inputs.
        way: Replaces `path` for such a run.
    """
    movement = run.movement
    if (judge := trained_judge(run.facts)) is not None:
        return Fine(f"model '{judge}' is trained along, and leaves no gradient")
    gradient = _gradient_of_kernels(run)
    flow = run.early_flow()
    # then steps may be short because gradients are, and the finding is less sure
    fades = flow is not None and flow.down < fading
    # Short steps may add up to a long way, and without a gradient of the kernels the
    # rate is not to blame. So all three have to hold.
    is_short = movement.ratio < ratio and movement.path < path
    is_short |= movement.ratio < short and movement.path < still
    is_slow = not is_short and movement.ratio < slow and movement.path < path
    is_slow = is_slow and not fades and _still_falls(run)
    is_plain = movement.ratio < plain and movement.path < way and not fades
    is_plain = is_plain and not (is_short or is_slow) and _is_plain_and_stuck(run)
    if (is_short or is_slow or is_plain) and gradient > 0:
        limit = plain if is_plain else slow if is_slow else short
        is_new = not run.live and not run.outcome.is_known and _is_as_it_began(run)
        return Finding(
            severity="warning" if is_short and is_new else "info",
            message=(
                "The learning rate is too low: a step changes the weights by "
                f"{movement.ratio:.1e} of their norm (about 1e-03 is usual), and all "
                f"{movement.steps} steps together change them by at most "
                f"{movement.path:.1e} of it."
            ),
            risk="critical",
            value=movement.ratio,
            threshold=ratio if movement.ratio < ratio else limit,
            unit="of the weight norm per step",
            confidence=0.85 if is_short and not fades else 0.6,
            note=worth_a_note(run),
            evidence={"path": movement.path},
            remedies=(
                suggest.range_test("finds the highest one that works"),
                suggest.raise_learning_rate("lengthens every step"),
            ),
        )
    return Fine(f"median update-to-weight ratio {movement.ratio:.1e}")


def _is_as_it_began(run: Run) -> bool:
    """Return whether the loss and all biases are nearly what they were at first.

    A model that learned something before, in another run or on other data, has biases
    that are not zero, unless a normalization takes them away.
    """
    if any(facts.normalizes for facts in run.layers):
        return False
    record, losses = run.record, run.loss[np.isfinite(run.loss)]
    if len(losses) < 2 or losses[0] - losses[-1] > FALLEN * abs(losses[0]):
        return False
    sizes = [
        (float(record.weight_norm[-1, column]), info.shape[0])
        for column, info in enumerate(record.variables)
        if info.role == "bias" and len(info.shape) == 1
    ]
    return bool(sizes) and all(norm < FRESH * n**0.5 for norm, n in sizes)


def _is_plain_and_stuck(run: Run) -> bool:
    """Return whether SGD without momentum has learned nothing of what can be learned.

    Its default rate, 0.01, suits large gradients; with momentum of 0.9 steps are ten
    times as long.
    """
    optimizer = run.facts.inner_optimizer
    rates = run.record.learning_rate
    rates = rates[np.isfinite(rates)]
    if run.facts.inner_optimizer_name != "SGD" or optimizer.get("momentum"):
        return False
    if not len(rates) or rates.max() > DEFAULT_RATE * 1.01:
        return False
    saved, reference = run.outcome.loss_saved, run.outcome.reference
    if saved is None or reference is None:
        return False
    return saved < NOTHING_SAVED and reference >= LEARNABLE


def _still_falls(run: Run) -> bool:
    """Return whether the loss falls steadily at the end; False if it is not known."""
    try:
        return run.descent.falls
    except Skipped:
        return False


def _gradient_of_kernels(run: Run) -> float:
    """Return the median gradient norm over the kernels, whose steps are judged.

    Where these get no gradient at all, biases may still have one.
    """
    record = run.record
    kernels = [len(variable.shape) > 1 for variable in record.variables]
    norms = record.gradient_norm[run.clean][:, kernels].astype(np.float64)
    if not norms.size:
        return 0.0
    return float(np.median(np.sqrt((np.nan_to_num(norms) ** 2).sum(axis=1))))
