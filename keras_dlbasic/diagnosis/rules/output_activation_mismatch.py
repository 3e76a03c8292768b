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
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING, UNSTABLE
from keras_dlbasic.records import OutputFacts, TargetFacts

RANGES = {
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "hard_tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "relu": (0.0, float("inf")),
    "relu6": (0.0, 6.0),
    "softplus": (0.0, float("inf")),
    "exponential": (0.0, float("inf")),
}
"""What activations can give."""

PROBABILITIES = ("sigmoid", "softmax", "hard_sigmoid")
UNBOUNDED = (None, "linear", "relu", "leaky_relu", "elu", "selu", "gelu", "tanh")

BELOW_ZERO = -0.01
"""A divergence is at least 0; less than this is no error of rounding."""

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

    Args:
        run: The run.
        outside: How far targets have to lie outside the activation's range to count, in
            units of their own range.
        much: The same from which it is critical.
    """
    output = run.output
    activation, units = output.activation, output.units
    if activation == "unknown":
        return Skipped("what limits the model's output could not be told from its code")
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
        or _died(run, activation, target)
    )


def _twice(output: OutputFacts) -> Mismatch | None:
    """Look for an activation that is given what another has limited."""
    before, last = output.limited_before, output.activation
    if before is None:
        return None
    # The best that a softmax can do with values from 0 to 1 is to get 1 for one class
    # and 0 for the others: e / (e + units - 1).
    if last == "softmax" and output.units and output.units > 1:
        most = math.e / (math.e + output.units - 1)
        reach = f"no class gets more than {most:.0%}"
    else:
        reach = "it gives 0.5 to 0.73 only"
    return Mismatch(
        f"The output's '{last}' is given the values of a '{before}', which are between "
        f"0 and 1, so {reach}, and the loss cannot get small.",
        suggest.by_hand(
            f"leave out the '{before}' before the last activation",
            f"'{last}' takes values without limits",
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
        f"The softmax adds up to 1 over axis {axis} of the output, but the targets do "
        f"over axis {named}: probabilities are shared between positions instead of "
        "classes.",
        suggest.by_hand(
            f"keras.layers.Softmax(axis={shares[0]})",
            "the classes of one position then share its probability",
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
        f"The softmax adds up to 1 over axis {axis} of the output, but "
        f"'{loss.name}' compares classes along axis {compared}.",
        suggest.by_hand(
            f"softmax over axis {compared}, or axis={axis} in the loss",
            "both must count classes along the same axis",
        ),
    )


def _softmax_of_one(activation: Any, units: Any) -> Mismatch | None:
    if activation != "softmax" or units != 1:
        return None
    return Mismatch(
        "Softmax over a single unit gives 1 for every input: nothing can be learned.",
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
            f"The loss takes outputs as logits (from_logits=True), but '{activation}' "
            "gives probabilities: it is applied twice, and the loss cannot get small.",
            suggest.output("logits need no activation", "linear", None),
            "warning",
        )
    if not loss.from_logits and activation in UNBOUNDED:
        proper = "sigmoid" if loss.family == "zero_one" else "softmax"
        return Mismatch(
            f"The loss takes outputs as probabilities, but the output's activation is "
            f"'{activation or 'linear'}': what is below 0 or above 1 is cut off.",
            suggest.output(
                "gives probabilities; or set from_logits=True in the loss", proper, None
            ),
        )
    return None


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
            "a linear output has no limits",
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
    if not target.row_sum_error > SUM_ERROR:
        return None
    return Mismatch(
        "Softmax outputs add up to 1 in each row, but those of the targets do not: "
        f"their sums are {target.row_sum_error:.2g} away from 1 on average.",
        suggest.output(
            "each column is free",
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
    observed = f" It fell to {lowest:.4g}; the lowest is 0." if lowest < 0 else ""
    return Mismatch(
        f"'{run.loss_kind.name}' compares distributions, but the output's activation "
        f"is '{activation or 'linear'}', so that columns do not add up to 1.{observed}",
        suggest.output("gives a distribution over the columns", "softmax", None),
        "critical" if lowest < BELOW_ZERO else "info",
        None if lowest < BELOW_ZERO else "critical",
    )


def _coupled(run: Run, activation: Any, target: TargetFacts) -> Mismatch | None:
    family = run.loss_kind.family
    if activation == "softmax" and target.has_several_labels and family != "unknown":
        return Mismatch(
            "Softmax lets the columns of the output share one probability, but several "
            "columns of the targets can be 1 at once.",
            suggest.output(
                "each column gets its own probability", "sigmoid", "binary_crossentropy"
            ),
        )
    if activation in ("sigmoid", "hard_sigmoid") and family in (
        "one_hot",
        "class_numbers",
    ):
        return Mismatch(
            "The loss compares classes that exclude each other, but sigmoid outputs do "
            "not: only their ratios count, and gradients fade where all are near 1.",
            suggest.output("gives one probability per class", "softmax", None),
            "info",
            "critical",
        )
    return None


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
        f"The output is 0 for every input: '{activation}' cuts off what is below 0, "
        "and has no slope there by which the weights could come back.",
        suggest.output(
            "an output without limits keeps its slope; from new weights",
            "linear",
            None,
        ),
    )
