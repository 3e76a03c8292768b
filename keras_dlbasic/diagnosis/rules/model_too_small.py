"""A model too small to follow the data."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.worth_a_note import worth_a_note
from keras_dlbasic.records import LayerFacts
from keras_dlbasic.records.probe_facts import NarrowFacts

MARGIN = 0.05
"""Skills on a few hundred rows may differ by so much by chance."""

MOST_IDLE = 0.5
"""Where more units are dead or saturated, more of them may die as well."""

MUCH_DROPPED = 0.5
"""Dropout rate above which few units may be lost by that."""

LEAST_WAY, LEAST_STEP = 0.5, 3e-4
"""Weights that moved less may not have come to make use of their units yet."""


@rule(kind="cause", explains=("underfitting",), needs=("network",), live=False)
def model_too_small(
    run: Run,
    *,
    weights: int = 16,
    learnable: float = 0.3,
    passed: float = 0.75,
    reached: float = 0.75,
) -> Verdict:
    """Look for layers of few units, no hidden layers, or a handful of weights.

    A layer of few units is too narrow if simple predictors find much less of the
    targets in what it gives than in what it is given, and the model reaches no more
    than that.

    Args:
        run: The run.
        weights: Maximum number of trainable weights for a finding.
        learnable: Minimum skill of predictors from what such a layer is given.
        passed: Maximum skill from what it gives, as a share of that.
        reached: Maximum skill of the model, as a share of the same.
    """
    narrow = run.facts.probe.narrow if run.facts.probe else None
    if narrow is not None and narrow.given >= learnable:
        is_lost = narrow.passed < passed * narrow.given - MARGIN
        skill = run.outcome.skill
        fails = skill is not None and skill < reached * narrow.given - MARGIN
        if is_lost and fails and _was_trained(run, narrow):
            return _found(narrow, passed)
    # a variable that is in no layer may be a constant
    if run.model.untracked or run.model.made_in_call:
        return Fine("the model has layers that Keras does not find")
    layers = [f for f in run.layers if _follows_patterns(f)]
    n = run.n_trainable_weights
    if len(layers) == 1 or n < weights:
        what = "no hidden layer" if len(layers) == 1 else f"{n} trainable weights"
        return Finding(
            severity="info",
            message=f"The model has {what}, so it can learn simple patterns only.",
            risk="warning",
            value=float(n),
            threshold=float(weights),
            unit="weights",
            confidence=0.6,
            note=worth_a_note(run),
            remedies=(suggest.larger_model("more units can fit the data"),),
        )
    return Fine(f"{n} trainable weights in {len(layers)} layers")


def _found(narrow: NarrowFacts, passed: float) -> Finding:
    return Finding(
        severity="warning",
        message=(
            f"Layer '{narrow.layer}' has only {narrow.units} "
            f"{'unit' if narrow.units == 1 else 'units'}, too few for these targets: "
            "from the input of the narrow layers, simple predictors reach a skill of "
            f"{narrow.given:.2f} on unseen samples, but from the output of this one "
            f"only {max(narrow.passed, 0.0):.2f} (0: a constant prediction, 1: "
            "perfect)."
        ),
        layer=narrow.layer,
        value=narrow.passed,
        threshold=passed * narrow.given - MARGIN,
        unit="skill",
        confidence=0.7,
        evidence={"given": narrow.given, "units": narrow.units},
        remedies=(suggest.larger_model("more units pass on more"),),
    )


def _was_trained(run: Run, narrow: NarrowFacts) -> bool:
    """Return whether its units live, and training could make use of them."""
    if any((layer.dropout or 0.0) > MUCH_DROPPED for layer in run.layers):
        return False
    table = run.record.tables.get("activations")
    if table is not None and len(table) and narrow.layer in table.labels:
        at = table.labels.index(narrow.layer)
        idle = [table[name][-1][at] for name in ("dead_units", "saturated_units")]
        if np.nanmax(idle, initial=0.0) > MOST_IDLE:
            return False
    try:
        movement = run.movement
    except Skipped:  # no updates were recorded
        return False
    return movement.path > LEAST_WAY and movement.ratio > LEAST_STEP


def _follows_patterns(layer: LayerFacts) -> bool:
    """Return True for layers that do more to their input than to scale or look it up.

    Recurrent and attention layers, wrappers and layers of the user's own have weights
    but no kernel of which a gain is known.
    """
    if layer.has_kernel:
        return True
    scales = layer.normalizes or layer.scales
    # the weights of an activation are slopes, as those of PReLU
    is_plain = layer.known_kind in ("embedding", "activation")
    return layer.n_weights > 0 and not scales and not is_plain
