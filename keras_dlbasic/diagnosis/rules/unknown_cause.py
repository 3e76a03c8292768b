"""A run that fails, and no check says why."""

from __future__ import annotations

from collections.abc import Iterable

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.generalization import (
    never_generalized,
    places_of,
    predictors_find_nothing,
    reads_ids,
)
from keras_dlbasic.diagnosis.registry import all_rules
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING

BREAKING = ("non_finite_values", "diverging_loss")
"""Symptoms of a run that fails, whatever else is known of it."""

IDLE = ("dead_units", "saturated_units")
"""Symptoms that are cause enough if they hold for all units of a layer."""

RELEVANT = (
    "learning_rate_too_low",
    "learning_rate_too_high",
    "loss_target_mismatch",
    "output_activation_mismatch",
    "poor_initialization",
    "unscaled_inputs",
    "non_finite_data",
    "nothing_to_train",
)
"""What is looked for first where a run does not learn."""

ABOUT_SIZE = ("model_too_large", "model_too_small", "too_few_updates")
"""Traits that explain nothing where no predictor finds anything in the data."""

TRIES = {
    "change_batch_size": ("batch_size_too_large", "batch_size_too_small"),
    "change_learning_rate": ("learning_rate_too_high", "learning_rate_too_low"),
    "find_learning_rate": ("learning_rate_too_high", "learning_rate_too_low"),
    "resize": ("model_too_large", "model_too_small"),
    "train_longer": ("stopped_too_early", "too_few_updates"),
}
"""Causes that advice tries, by the name of its remedy."""

MAX_NAMED = 5

CHECK_ROWS = suggest.check_rows(
    "shows misaligned rows and wrong columns, which no curve shows",
)
ONE_BATCH = suggest.by_hand(
    "model.fit(x[:32], y[:32], batch_size=32, epochs=300)",
    "overfits one batch with a new model: if the loss stays high, suspect the model, "
    "loss or optimizer; if it falls, suspect the data",
)
SHUFFLED = suggest.by_hand(
    "train on shuffled labels, y[numpy.random.permutation(len(y))]",
    "if the loss does not get worse, the model ignores the inputs",
)
ONE_STEP = suggest.by_hand(
    "print the loss and the gradients of single batches before the first update",
    "the cause precedes the first NaN or infinite value",
)


@rule(kind="symptom", needs=("network",), live=False, last=True)
def unknown_cause(run: Run, *, updates: int = 20) -> Verdict:
    """Look for runs that clearly fail without a known cause.

    A run fails if the model is no better than a constant prediction, if the loss
    diverges or is not finite, or if neither simple predictors nor the model generalize
    to other rows. A cause at warning or above explains it.

    Args:
        run: The run, with the verdicts of the other rules.
        updates: Minimum number of updates.
    """
    # Three things are put together: what shows that the run fails, whether any serious
    # cause explains it, and what was ruled out or could not be checked.
    unrelated = _is_unrelated(run)
    observed = _observed(run, updates, unrelated=unrelated)
    if observed is None:
        return Fine("the run does not evidently fail")
    causes = _causes(run, ABOUT_SIZE if unrelated else ()) + _idle_layers(run)
    if unrelated and _is_serious(run.verdicts.get("unrelated_targets")):
        causes.append("unrelated_targets")
    if causes:
        return Fine(f"explained by {', '.join(causes)}")
    kinds = {known.name: known.kind for known in all_rules()}
    checked = {n: v for n, v in run.verdicts.items() if kinds.get(n) == "cause"}
    fine = [n for n, verdict in checked.items() if isinstance(verdict, Fine)]
    tries = _tried(run)
    passed = [n for n in fine if n not in tries]
    tried = [n for n in fine if n in tries]
    skipped = [n for n, verdict in checked.items() if isinstance(verdict, Skipped)]
    parts = [observed]
    if unrelated and not reads_ids(run):
        dense = places_of(run)
        told = (
            f"skill {run.outcome.reference:.2f}"
            if dense is None
            else f"correlation {dense.found:.2f}"
        )
        parts.append(
            f"Simple predictors learn nothing from these inputs either ({told} on "
            "unseen rows), so check that inputs and labels match."
        )
    n = len(checked) - len(skipped)
    parts.append(f"{n} possible causes were checked, and none explains it.")
    parts += [f"Ruled out: {_listed(passed)}."] if passed else []
    if tried:
        parts.append(
            f"No sign was found of {_listed(tried)}, but the advice of other findings "
            "tries these too."
        )
    parts += [f"Not checked: {_listed(skipped)}."] if skipped else []
    broke = any(_is_serious(run.verdicts.get(name)) for name in BREAKING)
    first = (CHECK_ROWS, SHUFFLED) if unrelated else (ONE_BATCH, CHECK_ROWS, SHUFFLED)
    return Finding(
        severity="warning",
        message=" ".join(parts),
        confidence=0.7,
        value=run.outcome.skill,
        unit="" if run.outcome.skill is None else "skill",
        evidence={
            "ruled_out": passed,
            "advised": tried,
            "not_checked": skipped,
        },
        remedies=(ONE_STEP, CHECK_ROWS) if broke else first,
    )


def _tried(run: Run) -> set[str]:
    """Return the causes that advice of symptoms tries.

    A check that found nothing does not rule out what the report advises to change.
    """
    return {
        cause
        for verdict in run.verdicts.values()
        if isinstance(verdict, Finding) and verdict.rank and verdict.kind == "symptom"
        for suggestion in verdict.remedies
        for cause in TRIES.get(suggestion.name or "", ())
    }


def _observed(run: Run, updates: int, *, unrelated: bool) -> str | None:
    """Return what shows that the run fails, None if it does not evidently."""
    for name in BREAKING:
        verdict = run.verdicts.get(name)
        if isinstance(verdict, Finding) and verdict.rank:
            return f"The run fails for an unknown reason: {verdict.message}"
    if max(run.record.trained_steps, len(run.numbers)) < updates:
        return None
    if run.outcome.learned is False:
        return (
            "The model does not learn, for an unknown reason: it "
            f"{run.outcome.failure}."
        )
    if unrelated:
        return (
            "The model learns nothing that generalizes to other rows, for an unknown "
            "reason."
        )
    return None


def _is_unrelated(run: Run) -> bool:
    """Return whether neither simple predictors nor the model find anything."""
    if not predictors_find_nothing(run):
        return False
    return run.outcome.learned is False or never_generalized(run) is True


def _causes(run: Run, ignored: Iterable[str]) -> list[str]:
    """Return the serious causes of all that shows that the run fails."""
    names = (*BREAKING, *NOT_LEARNING, "overfitting")
    shown = [run.verdicts.get(name) for name in names]
    causes = [
        name
        for symptom in shown
        if isinstance(symptom, Finding) and symptom.rank
        for name in symptom.explained_by
        if name not in ignored and _is_serious(run.verdicts.get(name))
    ]
    return list(dict.fromkeys(causes))


def _idle_layers(run: Run) -> list[str]:
    """Return what shows that a layer passes nothing on, which is enough of a cause."""
    found = {name: run.verdicts.get(name) for name in IDLE}
    return [
        name
        for name, verdict in found.items()
        if isinstance(verdict, Finding) and verdict.rank and verdict.value == 1.0
    ]


def _is_serious(verdict: Verdict | None) -> bool:
    return isinstance(verdict, Finding) and verdict.rank > 0


def _listed(names: list[str]) -> str:
    """Name the most relevant, and count the others."""
    order = {name: place for place, name in enumerate(RELEVANT)}
    names = sorted(names, key=lambda name: order.get(name, len(order)))
    more = len(names) - MAX_NAMED
    text = ", ".join(names[:MAX_NAMED])
    return f"{text} and {more} more" if more > 0 else text
