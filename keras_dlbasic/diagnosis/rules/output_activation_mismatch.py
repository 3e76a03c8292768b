"""An output activation that cannot give what the targets or the loss ask for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dlbasic.diagnosis import (
    Finding,
    Fine,
    RemedySuggestion,
    Run,
    Skipped,
    Verdict,
    rule,
    suggest,
)
from keras_dlbasic.diagnosis.limited_output import (
    RANGES,
    asks_for_more,
    stays_at_zero,
    stays_away,
)
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING, UNSTABLE
from keras_dlbasic.records import OutputFacts, TargetFacts

PROBABILITIES = ("sigmoid", "softmax", "hard_sigmoid")
RECTIFIED = ("relu", "relu6")
UNBOUNDED = (None, "linear", "relu", "leaky_relu", "elu", "selu", "gelu", "tanh")

BELOW_ZERO = -0.01
"""A divergence is at least 0; less than this is no error of rounding."""

NORMAL = 2.0
"""Root mean square of the targets, which is 1 in a normalized output, that counts."""

SUM_ERROR = 0.05
"""Sums of rounded probabilities are nearer to 1."""

EXPLAINS = (
    *NOT_LEARNING,
    *UNSTABLE,
    "vanishing_gradients",
    "saturated_units",
    "dead_units",
    "overfitting",
)


@dataclass(frozen=True)
class Mismatch:
    """What is wrong, how surely, and what would fit."""

    text: str
    remedy: RemedySuggestion
    severity: Any = "critical"
    risk: Any = None


@rule(kind="cause", explains=EXPLAINS, needs=("output",), per_output=True)
def output_activation_mismatch(
    run: Run, *, outside: float = 0.02, much: float = 0.25
) -> Verdict:
    """Compare the output's activation with the loss and the targets.

    Values that an output without a known limit never comes near are reported too, such
    as ratings from 1 to 5 beside a cosine.

    Args:
        run: The run.
        outside: Minimum distance of targets from the range of the activation, relative
            to their own range.
        much: The same for a critical finding.
    """
    output = run.output
    activation, units = output.activation, output.units
    if limited := stays_away(run) or asks_for_more(run) or stays_at_zero(run):
        return limited
    if activation == "unknown":
        return Skipped(
            "the range of the model's output could not be determined from its code"
        )
    targets = run.facts.targets
    target = targets[0] if len(targets) == 1 else TargetFacts()
    axis = output.softmax_axis
    found = _twice(output) or _other_axis(run) or _shares_elsewhere(output, target)
    # what is known of units and columns is along the last axis
    if found is None and axis in (None, -1):
        found = _along_last_axis(run, activation, units, target, outside, much)
    if found is None:
        return Fine(f"output activation {activation or 'linear'!r} fits")
    return Finding(
        severity=found.severity,
        message=found.text,
        risk=found.risk,
        layer=output.name,
        confidence=0.99 if found.risk is None else 0.8,
        evidence={
            "activation": activation,
            "units": units,
            "loss": run.loss_kind.name,
        },
        remedies=(found.remedy,),
    )


def _along_last_axis(
    run: Run,
    activation: Any,
    units: Any,
    target: TargetFacts,
    outside: float,
    much: float,
) -> Mismatch | None:
    return (
        _softmax_of_one(activation, units)
        or _logits(run, activation)
        or _range(run, activation, target, outside, much)
        or _shares(run, activation, target)
        or _no_distribution(run, activation)
        or _coupled(run, activation, target)
        or _normalized(run, activation, target)
        or _died(run, activation, target)
    )


def _twice(output: OutputFacts) -> Mismatch | None:
    """Look for an activation that is given what another has limited."""
    before, last = output.limited_before, output.activation
    if before is None:
        return None
    if before in RECTIFIED:
        return _rectified(before)
    # The best that a softmax can do with values from 0 to 1 is to get 1 for one class
    # and 0 for the others: e / (e + units - 1).
    if last == "softmax" and output.units and output.units > 1:
        most = math.e / (math.e + output.units - 1)
        reach = f"no class can get more than {most:.0%}"
    else:
        reach = "the output is limited to [0.5, 0.73]"
    return Mismatch(
        f"The output applies '{last}' to the output of a '{before}', which is in [0, "
        f"1]. So {reach}, and the loss stays high.",
        suggest.by_hand(
            f"remove the '{before}' before the last activation",
            f"'{last}' expects unbounded values (logits)",
        ),
        "warning",
    )


def _shares_elsewhere(output: OutputFacts, target: TargetFacts) -> Mismatch | None:
    """Compare the axis of a softmax with those along which targets add up to 1."""
    axis, shares = output.softmax_axis, target.share_axes
    # the axis is known of a softmax only
    is_same_shape = target.shape is not None and output.rank == len(target.shape)
    if axis is None or not shares or axis in shares or not is_same_shape:
        return None
    named = " or ".join(str(share) for share in shares)
    return Mismatch(
        f"The softmax sums to 1 over axis {axis} of the output, but the targets sum to "
        f"1 over axis {named}. So the classes of a position do not compete.",
        suggest.by_hand(
            f"keras.layers.Softmax(axis={shares[0]})",
            "the probabilities of the classes then sum to 1 at each position",
        ),
    )


def _other_axis(run: Run) -> Mismatch | None:
    """Compare the axis of a softmax with that along which the loss compares."""
    loss, axis = run.loss_kind, run.output.softmax_axis
    compared = loss.axis_from_end(run.output.rank)
    is_compared = loss.family in ("one_hot", "class_numbers")
    if axis is None or not is_compared or compared in (None, axis):
        return None
    return Mismatch(
        f"The softmax sums to 1 over axis {axis} of the output, but '{loss.name}' "
        f"expects the classes along axis {compared}.",
        suggest.by_hand(
            f"use a softmax over axis {compared}, or axis={axis} in the loss",
            "both must use the same axis for the classes",
        ),
    )


def _softmax_of_one(activation: Any, units: Any) -> Mismatch | None:
    if activation != "softmax" or units != 1:
        return None
    return Mismatch(
        "Softmax over a single unit is 1 for every input, so nothing can be learned.",
        suggest.output(
            "a sigmoid unit gives a probability", "sigmoid", "binary_crossentropy"
        ),
    )


def _logits(run: Run, activation: Any) -> Mismatch | None:
    loss = run.loss_kind
    if not loss.is_crossentropy or activation == "custom":
        return None
    if loss.from_logits and activation in PROBABILITIES:
        return Mismatch(
            f"The loss expects logits (from_logits=True), but the output activation "
            f"'{activation}' gives probabilities. It is then applied twice, and the "
            "loss stays high.",
            suggest.output("logits have no activation", "linear", None),
            "warning",
        )
    if loss.from_logits and activation in RECTIFIED:
        return _rectified(activation)
    if not loss.from_logits and activation in UNBOUNDED:
        proper = "sigmoid" if loss.family == "zero_one" else "softmax"
        return Mismatch(
            "The loss expects probabilities, but the output activation is "
            f"'{activation or 'linear'}'. The loss clips outputs to [0, 1], and "
            "clipped outputs have no gradient.",
            suggest.output(
                "gives probabilities; or set from_logits=True in the loss", proper, None
            ),
        )
    return None


def _rectified(activation: str) -> Mismatch:
    """Report logits that cannot be below zero.

    A model may still learn with them, so it counts if it explains a symptom.
    """
    return Mismatch(
        f"The logits are the output of '{activation}', so none is below 0: a class "
        "cannot be ruled out, and one whose logit is 0 has no gradient.",
        suggest.by_hand(
            f"remove '{activation}' from the last layer",
            "logits must be free to be negative",
        ),
        "info",
        "critical",
    )


def _range(
    run: Run, activation: Any, target: TargetFacts, outside: float, much: float
) -> Mismatch | None:
    low, high = RANGES.get(activation, (float("-inf"), float("inf")))
    family = run.loss_kind.family
    if math.isnan(target.min) or family in ("class_numbers", "unknown"):
        return None
    takes_classes = family == "one_hot" and target.n_columns == 1
    if run.compares_class_numbers or (takes_classes and (run.output.units or 1) > 1):
        return None  # the loss is what is wrong: see `loss_target_mismatch`
    size = target.max - target.min
    allowed = outside * max(size, 1e-12)
    beyond = max(low - target.min, target.max - high)
    if beyond <= max(allowed, 1e-6):
        return None
    plus_minus = family == "plus_minus"
    proper = "tanh" if plus_minus else "linear"
    share = beyond / size if size > 0 else 1.0
    return Mismatch(
        f"Targets range from {target.min:.4g} to {target.max:.4g}, but a "
        f"'{activation}' output is limited to [{low:g}, {high:g}].",
        suggest.output(
            "a linear output is unbounded",
            proper,
            None if family == "values" else "mse",
        ),
        "critical" if share > much else "warning",
    )


def _shares(run: Run, activation: Any, target: TargetFacts) -> Mismatch | None:
    """Compare the sum of softmax outputs, which is 1, with that of targets."""
    is_share = activation == "softmax" and run.output.softmax_axis in (None, -1)
    compared = is_share and target.kind == "continuous"
    if not compared or target.n_columns != run.output.units:
        return None
    if not target.row_sum_error > SUM_ERROR or run.loss_kind.family == "unknown":
        return None  # a loss of the user's may weigh the rows, as by rewards
    return Mismatch(
        "Softmax outputs sum to 1 in each row, but the rows of the targets do not: "
        f"their sums differ from 1 by {target.row_sum_error:.2g} on average.",
        suggest.output(
            "each column is then predicted independently",
            "sigmoid" if target.min >= 0 and target.max <= 1 else "linear",
            None if run.loss_kind.family in ("values", "zero_one") else "mse",
        ),
    )


def _no_distribution(run: Run, activation: Any) -> Mismatch | None:
    """Look for a divergence that is given something else than distributions.

    Between distributions it is never below 0.
    """
    may_sum_to_one = activation not in (*UNBOUNDED, "sigmoid", "hard_sigmoid")
    if run.loss_kind.family != "probabilities" or may_sum_to_one:
        return None
    table = run.record.tables.get("probe")
    lowest = np.nanmin(table["loss"], initial=0.0) if table is not None else 0.0
    observed = f" The loss fell to {lowest:.4g}, below 0." if lowest < 0 else ""
    return Mismatch(
        f"'{run.loss_kind.name}' compares probability distributions, but the output "
        f"activation is '{activation or 'linear'}', so the outputs do not sum to 1."
        f"{observed}",
        suggest.output("gives a probability distribution", "softmax", None),
        "critical" if lowest < BELOW_ZERO else "info",
        None if lowest < BELOW_ZERO else "critical",
    )


def _coupled(run: Run, activation: Any, target: TargetFacts) -> Mismatch | None:
    family = run.loss_kind.family
    if activation == "softmax" and target.has_several_labels and family != "unknown":
        return Mismatch(
            "Softmax outputs sum to 1, but in the targets several columns can be 1 at "
            "once (multi-label).",
            suggest.output(
                "each column gets its own probability", "sigmoid", "binary_crossentropy"
            ),
        )
    if activation in ("sigmoid", "hard_sigmoid") and family in (
        "one_hot",
        "class_numbers",
    ):
        return Mismatch(
            f"The loss '{run.loss_kind.name}' expects one distribution over the "
            "classes, but sigmoid outputs do not sum to 1. Its gradients vanish where "
            "all outputs are near 1.",
            suggest.output("gives one probability per class", "softmax", None),
            "info",
            "critical",
        )
    return None


def _normalized(run: Run, activation: Any, target: TargetFacts) -> Mismatch | None:
    """Look for values that are not of the size of an output that is normalized."""
    name = run.output.name
    is_last = any(f.normalizes for f in run.layers if f.label.split("/")[-1] == name)
    if run.loss_kind.family != "values" or not target.rms > NORMAL:
        return None
    if activation != "normalization" and not is_last:
        return None
    return Mismatch(
        "The last layer is a normalization, so the output starts with a mean of 0 and "
        f"a standard deviation of 1, and the targets have a mean of {target.mean:.4g} "
        f"and a root mean square of {target.rms:.4g}. A prediction also depends on the "
        "statistics of the batch.",
        suggest.by_hand(
            "remove the normalization after the last `Dense` layer",
            "an output for values must be free to have any size",
        ),
        "info",
        "critical",
    )


def _died(run: Run, activation: Any, target: TargetFacts) -> Mismatch | None:
    """Look for a rectified output that is zero for all rows, as it was trained."""
    table = run.record.tables.get("probe")
    is_rectified = activation in ("relu", "relu6") and target.std > 0
    if not is_rectified or table is None or not len(table):
        return None
    spread, wrong = table["spread"][-1, 0], table["non_finite"][-1, 0]
    layers = run.record.tables.get("activations")
    if spread != 0 or wrong or run.is_planned or layers is None:
        return None
    # a constant other than zero comes from hidden layers that are dead
    if run.output.name not in layers.labels:
        return None
    if layers["mean"][-1, layers.labels.index(run.output.name)] != 0:
        return None
    return Mismatch(
        f"The output is 0 for every input: '{activation}' is 0 for negative inputs, "
        "and its gradient is 0 there, so the weights cannot recover.",
        suggest.output(
            "a linear output always has a gradient; start from new weights",
            "linear",
            None,
        ),
    )
