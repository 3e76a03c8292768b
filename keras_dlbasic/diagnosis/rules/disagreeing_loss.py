"""A loss that is not lowest where the output is right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.loss_sense import loss_sense
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING
from keras_dlbasic.records.facts import TruthFacts

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
    "targets (n,) minus outputs (n, 1) broadcast to (n, n), each with each",
)
MEANING = suggest.by_hand(
    "y = 1 - y, or the loss of 1 - y_true",
    "targets and output then have the same meaning",
)


@rule(kind="cause", explains=EXPLAINS, decides="match", per_output=True)
def disagreeing_loss(run: Run) -> Verdict:
    """Compare a custom loss for correct predictions with that for wrong ones.

    On the probe, the loss is computed for outputs that equal the targets (as values,
    probabilities or logits). If it is lower for a constant prediction and for the
    targets of other rows, training leads away from the targets. The model itself is not
    used. For other losses it is only tested whether the loss increases if the
    predictions of a trained model are shuffled among the rows.
    """
    if run.loss_kind.family != "unknown":
        return Fine(f"'{run.loss_kind.name}' is one of Keras' own")
    probe = run.facts.probe
    if probe is None:
        return Skipped(run.reasons.probe)
    if probe.truth is None:
        return _by_the_model(run)
    truth, sense = probe.truth, loss_sense(probe.truth)
    losses = (
        f"{truth.truth:.4g} if the output equals the targets, "
        f"{truth.shuffled:.4g} if it equals the targets of other rows, and "
        f"{truth.constant:.4g} for a constant prediction"
    )
    if sense not in ("wrong", "opposite", "blind", "extreme"):
        return Fine(f"the loss is {losses}")
    text = f"The loss {_named(run)}is {losses}. "
    if sense == "blind":
        text += "It does not depend on which row has which target."
        return _found(run, text, truth, "critical", (SHAPES,))
    if sense == "extreme":
        text += (
            f"It is {truth.hardened:.4g}, lower still, for outputs of exactly 0 and 1, "
            "so training drives the output to these extremes. This happens if targets "
            "and outputs are swapped in a cross-entropy."
        )
        return _found(run, text, truth, "warning", (ORDER,))
    if sense == "wrong":
        text += "So the output gets worse as the loss falls."
        return _found(run, text, truth, "critical", (SIGN, ORDER))
    if run.output.activation not in ("sigmoid", "softmax", "hard_sigmoid"):
        # a distance, which is small where the label says "the same"
        return Fine("the loss is lowest for the opposite of the targets, as a distance")
    text += "It is lowest if the output is the opposite of the target."
    return _found(run, text, truth, "warning", (MEANING, ORDER))


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
        confidence=0.97 if severity == "critical" else 0.8,
        evidence=evidence,
        remedies=remedies,
    )


def _named(run: Run) -> str:
    loss = run.facts.loss
    name = loss.get("class_name") if isinstance(loss, Mapping) else loss
    return f"'{name}' " if isinstance(name, str) and name != "<lambda>" else ""
