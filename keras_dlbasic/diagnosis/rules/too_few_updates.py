"""A run that is over before it can have got anywhere."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.outcome import HALF
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING
from keras_dlbasic.diagnosis.worth_a_note import worth_a_note

NEAR = 0.7
"""Share of the skill of simple predictors from which a model is near them."""


@rule(kind="cause", explains=NOT_LEARNING, live=False)
def too_few_updates(
    run: Run,
    *,
    updates: int = 100,
    path: float = 3.0,
    few: int = 30,
    several: int = 5,
    short: float = 0.5,
) -> Verdict:
    """Look for runs with too few updates for the weights to change much.

    It is a note unless a symptom shows that the model learns little, or a run of fewer
    than `few` updates has a low skill and a loss that has fallen.

    Args:
        run: The run.
        updates: Maximum number of updates for a finding, if the weights also changed
            little.
        few: Maximum number of planned updates for a finding before the run. Adaptive
            optimizers with a rate of 1e-3 then change a weight by at most 0.03, a tenth
            of its usual size.
        several: With fewer updates per epoch, smaller batches are suggested first: they
            give more updates with the same work.
        path: Maximum length of all updates, in units of the norm of the weights.
        short: The same for a warning without a symptom.
    """
    steps = run.record.trained_steps or _planned(run)
    if not steps:
        return Skipped("the number of updates is not known")
    # Few updates can be enough if each was long: then the weights have come a long way.
    way = float("nan")
    if not run.is_planned:
        way = run.movement.path
    if steps < updates and not way > path:
        size, now = run.moderate_batch_size(), run.facts.batch_size
        smaller = suggest.batch_size(
            "smaller batches give more updates per epoch", size
        )
        longer = suggest.more_epochs("gives more updates", epochs=run.facts.epochs)
        more = [smaller, longer] if not now or size < now else [longer]
        if (run.facts.steps_per_epoch or 0) >= several:
            more.reverse()
        is_warning = steps < few and way < short and _has_just_begun(run)
        return Finding(
            severity="warning" if is_warning else "info",
            message=f"The run has only {steps} updates, too few to learn much.",
            risk="critical",
            value=float(steps),
            threshold=float(updates),
            unit="updates",
            confidence=0.8 if steps < few else 0.7,
            note=worth_a_note(run),
            evidence={"path": way},
            remedies=(
                *more,
                suggest.raise_learning_rate("lengthens every step"),
            ),
        )
    return Fine(f"{steps} updates")


def _has_just_begun(run: Run) -> bool:
    """Return whether a loss has fallen, and little has been learned yet."""
    skill, reference = run.outcome.skill, run.outcome.reference
    if run.is_planned or skill is None or skill >= HALF:
        return False
    if reference is not None and skill >= NEAR * reference:
        return False
    try:
        return run.descent.last < run.descent.first
    except Skipped:
        return False


def _planned(run: Run) -> int:
    epochs, steps = run.facts.epochs, run.facts.steps_per_epoch
    return epochs * steps if epochs and steps else 0
