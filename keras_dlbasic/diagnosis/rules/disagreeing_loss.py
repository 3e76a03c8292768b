"""A loss that is not lowest where the output is right."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.endless_terms import (
    added_without_end,
    falls_ever_faster,
    keeps_falling,
    weights_without_end,
)
from keras_dlbasic.diagnosis.indifferent_loss import indifferent
from keras_dlbasic.diagnosis.loss_sense import falls_at_edges, has_no_lowest, loss_sense
from keras_dlbasic.diagnosis.metric_names import ACCURACIES
from keras_dlbasic.diagnosis.outcome import HALF, LEARNED_SKILL
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING
from keras_dlbasic.records.probe_facts import BeyondFacts, TruthFacts

EXPLAINS = (
    *NOT_LEARNING,
    "diverging_loss",
    "non_finite_values",
    "saturated_units",
    "vanishing_gradients",
)

SIGN = suggest.by_hand(
    "return -value, or 1 - value, from the loss",
    "the loss must fall as the output approaches the targets",
)
ORDER = suggest.by_hand(
    "def loss(y_true, y_pred)", "Keras passes the targets first, the outputs second"
)
SHAPES = suggest.by_hand(
    "y_true = keras.ops.reshape(y_true, keras.ops.shape(y_pred))",
    "shapes (n,) and (n, 1) broadcast to (n, n), each target with each output",
)
MEANING = suggest.by_hand(
    "y = 1 - y, or the loss of 1 - y_true",
    "targets and output then have the same meaning",
)
DISTANCE = suggest.by_hand(
    "keras.ops.sqrt(keras.ops.sum((a - b) ** 2, axis=-1, keepdims=True) + 1e-7)",
    "a contrastive loss expects a distance, which is 0 for the same inputs",
)
LOGARITHMS = suggest.by_hand(
    'activation="log_softmax" on the output, or '
    "keras.losses.CategoricalCrossentropy(from_logits=True)",
    "a likelihood takes logarithms of probabilities, which are never above 0",
)
LOWEST = suggest.by_hand(
    'compile(loss="mse") for values, or '
    "keras.losses.BinaryCrossentropy(from_logits=True) for 0 and 1",
    "a loss needs a lowest value, where the output is right",
)
SCALE = suggest.by_hand(
    "y = (y - y.min()) / (y.max() - y.min())",
    "a cross-entropy has a lowest value only for targets from 0 to 1",
)
LINEAR = suggest.by_hand(
    'a linear output and compile(loss="mse")', "values may then be of any size"
)

OF_CLASSES = tuple(name for name in ACCURACIES if name != "binary_accuracy")
"""Of one-hot vectors, the accuracy of each column is high for any answer."""

PROBABILITIES = ("sigmoid", "softmax", "hard_sigmoid")
"""Activations of outputs that are probabilities."""

OF_PROBABILITIES = ("binary", "one_hot", "multi_label", "probabilities")
"""Kinds of targets that probabilities are compared with."""

NEARER, ERRORS, TOLD_APART = 0.25, 4.0, 0.75
"""How much more often than by chance pairs of a label are nearer, in shares and in
standard errors, and the share of outputs in order of a model that has learned."""

LEAST_EPOCHS, STILL_FALLS = 6, 0.3
"""Fewer epochs say nothing of what pairs are learned in the end, nor does a loss that
falls by this share of itself in their second half."""

NEARLY_SAME = 0.3
"""Predictions deviate by a smaller share of the targets' deviation if they are."""

AS_CONSTANT = 0.9
"""A validation loss above this share of that of a constant output is no better."""

MAY_BE_MEANT = ("right", "indifferent", "unclear", "blind")
"""What a loss may reward and be as it should."""

FAR_BELOW, GROWN = 10.0, 10.0
"""How many times the loss of the targets, and of the first epoch, a loss without a
lowest value is at the end."""


@rule(kind="cause", explains=EXPLAINS, decides="match", per_output=True)
def disagreeing_loss(run: Run) -> Verdict:
    """Compare a custom loss for correct predictions with that for wrong ones.

    On the probe, the loss is computed for outputs that equal the targets (as values,
    probabilities or logits). If it is lower for a constant prediction and for the
    targets of other rows, training leads away from the targets. This is certain only
    of probabilities and of losses without a lowest value: other outputs may mean
    something else, such as a risk or a cost, and get a note. The same is tested for
    targets that are class numbers where the loss expects one-hot vectors. It is also a
    finding if the loss has no lowest value: it falls in proportion to the outputs and
    the training loss is far below zero, a term of `add_loss` does or sample weights are
    negative and the predictions become worse than a constant one, a loss that cannot be
    evaluated falls ever faster, or targets of a sigmoid lie outside of 0 and 1 in a
    cross-entropy. It is a warning if a constant is as good as the targets for the loss,
    and the predictions are nearly constant. For other losses it is only tested whether
    the loss increases if the predictions of a trained model are shuffled among the
    rows. In a custom `train_step` it is a finding if targets and outputs were seen to
    broadcast and the predictions are nearly the same for all rows. Of pairs whose
    output is a distance or a likeness, it is a warning if the loss wants those apart
    whose inputs are nearer, and the model does not manage it.
    """
    if endless := added_without_end(run) or weights_without_end(run):
        return endless
    if twins := _of_twins(run):
        return twins
    if run.facts.short_side is not None:
        return _each_with_each(run, run.facts.short_side)
    if run.loss_kind.family != "unknown":
        return Fine(f"'{run.loss_kind.name}' is one of Keras' own")
    probe = run.facts.probe
    if probe is None:
        return Skipped(run.reasons.probe)
    if probe.beyond is not None and falls_at_edges(probe.beyond):
        return _beyond(run, probe.beyond)
    if probe.truth is None:
        return falls_ever_faster(run) or _by_the_model(run)
    truth, sense = probe.truth, loss_sense(probe.truth)
    losses = (
        f"{truth.truth:.4g} if the output equals the targets, "
        f"{truth.shuffled:.4g} if it equals the targets of other rows, and "
        f"{truth.constant:.4g} for a constant prediction"
    )
    if sense in ("right", "indifferent", "unclear") and _falls_without_end(run, truth):
        return _without_lowest(run, truth)
    if sense in ("unclear", "indifferent") and (endless := falls_ever_faster(run)):
        return endless
    if sense == "indifferent" and (finding := indifferent(run, truth)):
        return finding
    by_model = run.facts.loss is None and sense in MAY_BE_MEANT
    if by_model and run.outcome.paired is not None:
        return _by_the_model(run)
    if sense == "numbers":
        return _of_numbers(run, truth)
    if sense not in ("wrong", "opposite", "blind", "extreme"):
        return Fine(f"the loss is {losses}")
    text = f"The loss {_named(run)}is {losses}. "
    if sense == "blind":
        text += "It does not depend on which row has which target."
        return _found(run, text, truth, "critical", (SHAPES,))
    is_certain = _means_the_targets(run)
    if sense == "extreme":
        text += (
            f"It is {truth.hardened:.4g}, lower still, for outputs of exactly 0 and 1, "
            "so training drives the output to these extremes. This happens if targets "
            "and outputs are swapped in a cross-entropy, but also if the output is a "
            "decision, and not an estimate of the targets."
        )
        is_certain &= run.facts.loss is not None
        return _found(run, text, truth, "warning" if is_certain else "info", (ORDER,))
    if sense == "wrong":
        if is_certain or _is_endless(run, truth):
            text += "So the output gets worse as the loss falls."
            return _found(run, text, truth, "critical", (SIGN, ORDER))
        if endless := falls_ever_faster(run):
            return endless
        text += (
            "If the output is meant to equal the targets, it gets worse as the loss "
            "falls. If it means something else, such as a risk, a cost or a "
            "reciprocal, this may be right."
        )
        return _found(run, text, truth, "info", (SIGN, ORDER))
    if run.output.activation not in PROBABILITIES:
        # a distance, which is small where the label says "the same"
        return Fine("the loss is lowest for the opposite of the targets, as a distance")
    text += "It is lowest if the output is the opposite of the target."
    severity = "warning" if is_certain else "info"
    return _found(run, text, truth, severity, (MEANING, ORDER))


def _means_the_targets(run: Run) -> bool:
    """Return whether an output can only be meant as the probability of its targets.

    Others may be a risk, a cost, an energy or a precision, which are low where the
    target is high.
    """
    if run.output.activation in PROBABILITIES:
        return run.target.kind in (*OF_PROBABILITIES, "whole_numbers")
    return run.facts.loss is not None and run.target.kind in OF_PROBABILITIES


def _is_endless(run: Run, truth: TruthFacts) -> bool:
    """Return whether a loss has no lowest value, and a run, if any, shows it."""
    if not has_no_lowest(truth):
        return False
    losses = run.loss[np.isfinite(run.loss)]
    if not len(losses):
        return run.facts.loss is not None
    return keeps_falling(run) and bool(losses[-1] < min(0.0, truth.constant))


def _by_the_model(run: Run) -> Verdict:
    paired = run.outcome.paired
    if run.outcome.follows and paired is not None:
        return Fine(
            f"the loss is {paired.loss:.4g}, and {paired.dealt:.4g} if predictions "
            "are shuffled among the rows"
        )
    if paired is not None and paired.makes_table and _lacks_axis(run):
        return Finding(
            severity="critical",
            message=(
                f"The loss {_named(run)}is {paired.loss:.4g} no matter which row gets "
                "which prediction. Targets of shape (n,) and outputs of shape (n, 1) "
                "broadcast to (n, n), so every prediction is compared with every "
                "target."
            ),
            value=paired.dealt - paired.loss,
            unit="loss",
            confidence=0.97,
            evidence=paired.to_dict(),
            remedies=(SHAPES,),
        )
    return Skipped("the output that this loss expects could not be determined")


def _of_twins(run: Run) -> Finding | None:
    """Name a loss that wants pairs of the label apart whose inputs are nearer."""
    twins = None if run.facts.probe is None else run.facts.probe.twins
    if twins is None or twins.loss_of_0 == twins.loss_of_1:
        return None
    alike = int(twins.loss_of_1 < twins.loss_of_0)
    rows = (twins.rows_of_0, twins.rows_of_1)
    # of the label that the loss wants apart
    nearer, told = (
        (1 - share if alike else share) for share in (twins.nearer, twins.told)
    )
    error = math.sqrt((sum(rows) + 1) / 12 / max(1, rows[0] * rows[1]))
    harm = _of_no_use(run, 1 - told)
    if not nearer > 0.5 + max(NEARER, ERRORS * error) or harm is None:
        return None
    if _falls_yet(run):
        return None  # labels that the inputs speak against take longer to learn
    kind = "likeness" if twins.same else "distance"
    return Finding(
        severity="warning",
        message=(
            f"The output is a {kind}: it is {twins.same:g} for two inputs that are the "
            f"same. The loss {_named(run)}of this output is {twins.loss_of_1:.4g} for "
            f"the label 1 and {twins.loss_of_0:.4g} for the label 0, so it takes pairs "
            f"with the label {alike} as alike. But the pairs with the label "
            f"{1 - alike} are nearer in their inputs, in {nearer:.0%} of comparisons, "
            f"and {harm}. Either the labels mean the opposite of what the loss "
            "expects, or pairs were chosen that are hard to tell: then nothing is "
            "wrong."
        ),
        value=nearer,
        threshold=0.5 + NEARER,
        unit="of comparisons",
        confidence=0.7,
        evidence=twins.to_dict(),
        remedies=(MEANING, DISTANCE) if twins.same else (MEANING,),
    )


def _falls_yet(run: Run) -> bool:
    """Return whether the loss that is to fall, that of validation if any, goes on."""
    losses = run.curve("val_loss")
    losses = losses[np.isfinite(losses)]
    if not len(losses):
        losses = run.loss[np.isfinite(run.loss)]
    if len(losses) < LEAST_EPOCHS:
        return True
    before, after = np.split(losses, [len(losses) // 2])
    return bool(before.min() - after.min() > STILL_FALLS * abs(before.min()))


def _of_no_use(run: Run, told: float) -> str | None:
    """Return what shows that a model of pairs has not learned its labels, if any."""
    if told < TOLD_APART:
        return f"the outputs are in the order of the loss in {told:.0%} only"
    truth = None if run.facts.probe is None else run.facts.probe.truth
    losses = run.curve("val_loss")
    losses = losses[np.isfinite(losses)]
    if truth is None or not len(losses) or losses.min() < AS_CONSTANT * truth.constant:
        return None
    return (
        f"on validation samples the loss is {losses.min():.4g} at best, where a "
        f"constant output would get {truth.constant:.4g}"
    )


def _each_with_each(run: Run, short: str) -> Verdict:
    """Judge a step that was seen to take targets less the outputs of all rows."""
    probe = run.facts.probe
    explained = math.nan if probe is None else probe.explained
    if not math.isfinite(explained):
        return Skipped("the predictions were not compared with the targets")
    if explained >= HALF:
        return Fine(f"the predictions explain {explained:.0%} of the targets' variance")
    assert probe is not None
    if not probe.spread_kept < NEARLY_SAME:
        return Skipped("predictions differ between rows as targets do: it may be meant")
    targets, outputs = ("(n,)", "(n, 1)") if short == "targets" else ("(n, 1)", "(n,)")
    return Finding(
        severity="critical",
        message=(
            f"In the `train_step` of the model, targets of shape {targets} and outputs "
            f"of shape {outputs} broadcast to (n, n), so every prediction is compared "
            "with every target. The best prediction is then the same for all rows: at "
            "the end of the run the predictions explain "
            f"{max(explained, 0):.0%} of the variance of the targets."
        ),
        value=explained,
        threshold=HALF,
        unit="of the variance",
        confidence=0.97,
        evidence={
            "explained": explained,
            "spread_kept": probe.spread_kept,
            "short_side": short,
        },
        remedies=(SHAPES,),
    )


def _falls_without_end(run: Run, truth: TruthFacts) -> bool:
    """Return whether a loss has no lowest value, and training makes use of it."""
    if not has_no_lowest(truth) or run.output.activation not in (None, "linear"):
        return False
    losses = run.loss[np.isfinite(run.loss)]
    if len(losses) < 3:
        return False
    first, middle, last = losses[0], losses[len(losses) // 2], losses[-1]
    return bool(
        last < -FAR_BELOW * abs(truth.truth)
        and last < -GROWN * abs(first)
        and last < 0.99 * losses.min()
        and last - middle < 0.25 * (last - first)
    )


def _without_lowest(run: Run, truth: TruthFacts) -> Finding:
    is_classes = run.target.kind in ("one_hot", "probabilities")
    first, last = run.loss[np.isfinite(run.loss)][[0, -1]]
    text = (
        f"The training loss falls from {first:.4g} to {last:.4g} and goes on falling: "
        f"the loss {_named(run)}has no lowest value. It is {truth.truth:.4g} if the "
        f"output equals the targets, {truth.tenfold:.4g} for outputs ten times and "
        f"{truth.hundredfold:.4g} for outputs a hundred times as large, so training "
        "makes the outputs larger instead of more correct."
    )
    if is_classes:
        text += " This happens if a likelihood is given outputs without `log_softmax`."
    severity = "warning" if _has_learned(run) else "critical"
    return _found(run, text, truth, severity, (LOGARITHMS if is_classes else LOWEST,))


def _has_learned(run: Run) -> bool:
    """Return whether the skill or the accuracy is above that of a constant."""
    if run.outcome.skill is not None:
        return run.outcome.skill >= LEARNED_SKILL
    chance = run.target.commonest
    return any(
        bool(len(accuracy) and accuracy[-1] >= chance + LEARNED_SKILL * (1 - chance))
        for accuracy in map(run.curve, OF_CLASSES)
    )


def _of_numbers(run: Run, truth: TruthFacts) -> Finding:
    text = (
        f"The loss {_named(run)}is given class numbers, and does not compare them with "
        f"the output's column of that class: it is {truth.truth:.4g} if the output is "
        "the one-hot vector of the right class, "
        f"{truth.shuffled:.4g} if it is that of other rows, and {truth.constant:.4g} "
        "for a constant prediction. If the targets were one-hot vectors, it would be "
        f"{truth.one_hot_truth:.4g}, {truth.one_hot_shuffled:.4g} and "
        f"{truth.one_hot_constant:.4g}."
    )
    is_good = run.outcome.skill is not None and run.outcome.skill >= HALF
    has_axis = run.output.rank is not None and run.output.rank == len(
        run.target.shape or ()
    )
    vectors = suggest.by_hand(
        f"y = keras.ops.one_hot({'y[..., 0]' if has_axis else 'y'}, "
        f"{run.output.units or 'n_classes'}) before the loss",
        "each column of the output is then compared with the mask of its class",
    )
    return _found(run, text, truth, "warning" if is_good else "critical", (vectors,))


def _beyond(run: Run, beyond: BeyondFacts) -> Verdict:
    skill = run.outcome.skill
    if skill is not None and skill >= HALF:
        return Fine(f"the skill is {skill:.2f}, with targets outside of 0 and 1")
    return Finding(
        severity="warning",
        message=(
            f"{beyond.outside:.0%} of the targets lie outside of 0 and 1, which a "
            f"sigmoid cannot give. The loss {_named(run)}then has no lowest value: "
            f"for the nearest outputs it is {beyond.tenth:.4g} from 0.1 to 0.9, "
            f"{beyond.hundredth:.4g} from 0.01 to 0.99 and {beyond.thousandth:.4g} "
            "from 0.001 to 0.999, so training drives the outputs to 0 and 1."
        ),
        value=beyond.thousandth,
        threshold=0.0,
        unit="loss",
        confidence=0.9,
        evidence=beyond.to_dict(),
        remedies=(SCALE, LINEAR),
    )


def _lacks_axis(run: Run) -> bool:
    """Return whether targets have an axis less than the output, whose last is one."""
    targets, outputs = run.facts.targets, run.facts.outputs
    if len(targets) != 1 or len(outputs) != 1:
        return False
    shape, output = targets[0].shape, outputs[0].shape
    return bool(shape and output and output[-1] == 1 and len(shape) == len(output) - 1)


def _found(
    run: Run, text: str, truth: TruthFacts, severity: Any, remedies: tuple[Any, ...]
) -> Finding:
    evidence: dict[str, Any] = truth.to_dict()
    if run.outcome.skill is not None:
        evidence["skill"] = run.outcome.skill
    return Finding(
        severity=severity,
        message=text,
        value=truth.truth,
        threshold=truth.constant,
        unit="loss",
        confidence={"critical": 0.97, "warning": 0.8}.get(severity, 0.4),
        evidence=evidence,
        remedies=remedies,
    )


def _named(run: Run) -> str:
    loss = run.facts.loss
    name = loss.get("class_name") if isinstance(loss, Mapping) else loss
    return f"'{name}' " if isinstance(name, str) and name != "<lambda>" else ""
