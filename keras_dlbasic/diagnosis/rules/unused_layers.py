"""Layers that a model has and never calls."""

from __future__ import annotations

import math

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING

LEAST_EPOCHS = 4
"""After fewer, nothing is said of where the loss goes."""


@rule(kind="cause", explains=NOT_LEARNING, needs=("network",))
def unused_layers(run: Run, *, behind: float = 0.1) -> Verdict:
    """Look for layers that a subclassed model creates and never calls.

    Only activations, normalization and layers whose weights were never made count,
    which have no effect unless they are called. It is a warning if the model learns
    nothing, or if no other activation is known in a model that is not good: leftovers
    do no harm. Layers in a branch of `call` that is not taken, as with a flag that is
    off, are a warning if the model is worse than simple predictors and its loss no
    longer falls much, else a note.

    Args:
        run: The run.
        behind: Minimum distance of the skill from that of simple predictors for a
            warning on layers in a branch that is not taken.
    """
    names = run.model.unused
    if not names and run.model.uncalled:
        return _in_a_branch(run, behind)
    if not names:
        return Fine("no layer is known that the model does not call")
    n = len(names)
    listed = ", ".join(f"`{name}`" for name in names[:3])
    more = f" and {n - 3} more" if n > 3 else ""
    is_one = n == 1
    return Finding(
        severity="warning" if _may_matter(run, n) else "info",
        message=(
            f"{'A layer is' if is_one else f'{n} layers are'} created and never used: "
            f"{listed}{more}. {'It has' if is_one else 'They have'} no "
            f"effect on the predictions."
        ),
        risk="warning",
        layer=names[0],
        value=float(n),
        threshold=0.0,
        unit="layers",
        confidence=0.75,
        evidence={"layers": list(names)},
        remedies=(
            suggest.by_hand(
                f"x = self.{names[0].rsplit('.', 1)[-1]}(x) in `call`, "
                "or delete the layer",
                "a layer has an effect only where it is called",
            ),
        ),
    )


def _in_a_branch(run: Run, behind: float) -> Finding:
    """Report layers that `call` names and skips."""
    names, outcome = run.model.uncalled, run.outcome
    listed = ", ".join(f"`{name}`" for name in names[:3])
    skill, reference = outcome.skill, outcome.reference
    gap = math.nan if skill is None or reference is None else reference - skill
    is_over = not run.live and not run.is_planned
    is_harmful = is_over and gap >= behind and not _still_falls(run)
    compared = (
        f" The skill is {skill:.2f}, that of {outcome.reference_name} {reference:.2f}."
        if gap >= behind
        else ""
    )
    return Finding(
        severity="warning" if is_harmful else "info",
        message=(
            f"`call` has a branch that was not taken, because of a flag or another "
            f"argument, with these layers: {listed}. They have no weights.{compared}"
        ),
        risk="warning" if is_harmful else None,
        value=float(len(names)),
        threshold=0.0,
        unit="layers",
        confidence=0.6,
        evidence={"layers": list(names), "behind": gap},
        remedies=(
            suggest.by_hand(
                "check the arguments of the model: is the flag of this branch passed "
                "on to all parts?",
                "a layer has an effect only where it is called",
            ),
        ),
    )


def _still_falls(run: Run, share: float = 0.25) -> bool:
    """Return whether the loss fell by this share in the last third of the epochs."""
    losses = run.loss
    if len(losses) < LEAST_EPOCHS:
        return True
    return bool(losses[-1] < (1 - share) * losses[-1 - len(losses) // 3])


def _may_matter(run: Run, n: int) -> bool:
    """Return whether a finished run may lack what these layers do."""
    if run.live or run.is_planned:
        return False
    acting = [
        layer
        for layer in run.layers
        if layer.activation not in (None, "linear")
        or layer.kind in ("recurrent", "attention", "foreign")
    ]
    is_linear = len(acting) <= n and not run.outcome.is_good
    return run.outcome.learned is False or is_linear
