"""Outputs whose losses are so small beside others that they are not learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.outcome import Outcome
from keras_dlbasic.diagnosis.outputs_apart import is_single
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING

CLEAR, BEHIND = 0.3, 0.3
"""Skill of a simple predictor that says something, and the share of it below which an
output is far behind."""


@rule(kind="cause", explains=NOT_LEARNING, needs=("network",), live=False)
def unbalanced_outputs(
    run: Run, *, ratio: float = 30.0, learnable: float = 0.15
) -> Verdict:
    """Compare the weighted losses of outputs that are trained together.

    Shared layers follow the gradient of the sum of the losses, so an output with a
    thirtieth of the loss has about a thirtieth of the influence. This is harmless if
    the output is learned anyway. So it only counts if the output is no better than a
    constant prediction although a simple predictor is, or far behind one, and the
    output with the larger loss is learned.

    Args:
        run: The run.
        ratio: Minimum ratio of the weighted losses of two outputs before training. At
            the end it must still be the larger one.
        learnable: Minimum skill of a simple predictor, so that the output can be
            learned.
    """
    shares = _shares(run)
    if len(shares) < 2:
        return Fine("at most one output is trained")
    largest = max(shares, key=lambda share: share.start)
    smallest = min(shares, key=lambda share: share.start)
    value = largest.start / smallest.start if smallest.start > 0 else 0.0
    text = f"the largest loss of an output is {value:.3g} times the smallest"
    if run.is_planned or largest.outcome.learned is not True:
        return Fine(text)
    lost = [share for share in shares if share.is_lost_beside(largest, ratio)]
    if not lost:
        return Fine(text)
    return _found(run, lost[0], largest, shares, ratio, learnable)


@dataclass(frozen=True)
class _Share:
    """What an output adds to the loss that is trained.

    Attributes:
        name: The output.
        start: Its weighted loss at the first look, else that of a constant prediction.
        end: Its weighted loss at the end.
        outcome: How far it got.
    """

    name: str
    start: float
    end: float
    outcome: Outcome

    def is_lost_beside(self, other: _Share, ratio: float) -> bool:
        """Return whether it is not learned and small beside another, to the end."""
        is_small = other.start > ratio * self.start > 0 and other.end > self.end
        return is_small and (self.outcome.learned is False or self.is_far_behind)

    @property
    def is_far_behind(self) -> bool:
        """Whether a simple predictor does far better."""
        skill, reference = self.outcome.skill, self.outcome.reference
        if skill is None or reference is None:
            return False
        return reference >= CLEAR and skill < BEHIND * reference


def _shares(run: Run) -> list[_Share]:
    """Return what outputs add to the loss.

    Raises:
        Skipped: If that is not known of all that are trained.
    """
    shares = []
    for apart in run.outputs_apart:
        if not apart.is_trained:
            continue
        outcome, weight = apart.outcome, apart.loss_weight
        if not outcome.baseline or outcome.loss is None:
            name = apart.output_name
            raise Skipped(f"the loss of output '{name}' is not known")
        first = float(apart.probed("loss")[0])
        start = first if np.isfinite(first) else outcome.baseline
        end = weight * outcome.loss
        shares.append(_Share(str(apart.output_name), weight * start, end, outcome))
    return shares


def _found(
    run: Run,
    lost: _Share,
    largest: _Share,
    shares: list[_Share],
    ratio: float,
    learnable: float,
) -> Verdict:
    value, reference = largest.start / lost.start, lost.outcome.reference
    if reference is not None and reference < learnable:
        return Fine(
            f"output '{lost.name}' is not learned, but simple predictors do no better"
        )
    return Finding(
        severity="info",
        message=(
            f"Output '{lost.name}' is not learned, because the weighted loss of output "
            f"'{largest.name}' is {value:.3g} times as large. The shared layers follow "
            "the gradient of the larger loss."
        ),
        risk="critical" if reference is not None else None,
        value=value,
        threshold=ratio,
        unit="times the loss",
        confidence=0.8,
        evidence={
            "start": {share.name: share.start for share in shares},
            "end": {share.name: share.end for share in shares},
            "gradients": _gradients(run),
        },
        remedies=_remedies(run, shares, largest),
        note=False,
        output=lost.name,
    )


def _gradients(run: Run) -> dict[str, float]:
    """Return the median gradient norm of the layer of each output, if recorded."""
    layers, norms = run.record.layers, run.record.by_layer("gradient_norm")
    found = {
        str(apart.output_name): float(np.nanmedian(norms[:, layers.index(layer)]))
        for apart in run.outputs_apart
        if len(norms) and (layer := apart.output.name) in layers
    }
    return {name: norm for name, norm in found.items() if np.isfinite(norm)}


def _remedies(run: Run, shares: list[_Share], largest: _Share) -> tuple[Any, ...]:
    # These factors bring all losses down to the size of the smallest one. The weights
    # are then scaled so that the largest is 1.
    least = min(share.start for share in shares)
    factors = {
        share.name: least / share.start if share.start > 0 else 1.0 for share in shares
    }
    weights = {
        str(apart.output_name): apart.loss_weight
        * factors.get(str(apart.output_name), 1.0)
        for apart in run.outputs_apart
    }
    top = max(weights[share.name] for share in shares)
    rounded = {name: float(f"{weight / top:.2g}") for name, weight in weights.items()}
    weigh = suggest.by_hand(
        f"model.compile(..., {_as_given(run, rounded)})",
        "losses of equal size have equal influence on the shared layers",
    )
    if run.for_output(largest.name).loss_kind.family != "values":
        return (weigh,)
    scale = suggest.by_hand(
        f"scale the targets of output '{largest.name}' to standard deviation 1",
        "its loss is then about 1",
    )
    # a loss that is large for the mean of its targets is small once that is learned
    return scale, weigh


def _as_given(run: Run, weights: dict[str, float]) -> str:
    """Return `loss_weights` in the form that Keras takes beside the losses."""
    loss = run.facts.loss
    if is_single(loss):
        short = repr(loss) if isinstance(loss, str) else "loss"
        losses = ", ".join([short] * len(weights))
        return f"loss=[{losses}], loss_weights={_listed(weights)}"
    if not isinstance(loss, dict):
        return f"loss_weights={_listed(weights)}"
    outputs = run.facts.outputs
    named = {
        key: next(
            (
                weights[str(apart.output_name)]
                for index, apart in enumerate(run.outputs_apart)
                if key in (outputs[index].label, outputs[index].name)
            ),
            1.0,
        )
        for key in loss
    }
    return f"loss_weights={named}"


def _listed(weights: dict[str, float]) -> str:
    return str(list(weights.values()))
