"""Minimum, saddle, plateau or none of them: the verdict on a point of a landscape."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal

from keras_dlbasic._display import Displayed, wrapped

PointVerdict = Literal["minimum", "saddle", "plateau", "degenerate", "not_stationary"]

VERDICTS: tuple[PointVerdict, ...] = (
    "minimum",
    "saddle",
    "plateau",
    "degenerate",
    "not_stationary",
)
"""What a point can be; records keep the place in this list."""

LOSS_NOISES = 8
"""A change of the loss counts from this many times its rounding noise."""

FLAT_SHARE = 0.5
"""A point is flat where at least this share of the weights does nothing."""


@dataclass(frozen=True, repr=False)
class PointEvidence(Displayed):
    """What was measured at a point of the landscape of a loss.

    All falls are actual: the loss was computed there. "Near" means within `radius`.

    Attributes:
        loss: The loss.
        loss_noise: What rounding may do to it.
        loss_scale: What the loss is compared with, see `judge_point`.
        mismatched_loss: Mean loss with the targets given to other rows.
        gradient_norm: Norm of the gradient.
        gradient_noise: How far the gradient moves when the weights move by their last
            bit: no smaller norm can be told from zero.
        gradient_fall: How far the loss falls, near, along the gradient and the
            curvature that it meets; slopes of a ridge whose top is near left out.
        smallest: Smallest eigenvalue of the Hessian.
        smallest_residual: Bound of its error.
        largest: Largest eigenvalue.
        largest_residual: Bound of its error.
        n_negative: Negative directions seen, at least this many there are.
        later_curvature: Curvature along the most negative direction where the loss has
            fallen by `gradient_fall`.
        escape_fall: How far the loss falls, near, along the most negative direction;
            weights that are zero go as far as their usual initial size.
        escape_even: The part of it that is alike in both directions, so no slope's.
        escape_step: Length of the step that does it, with sign; 0 if none.
        radius: A tenth of the norm of the weights.
        inert_share: Share of the weights that have neither slope nor curvature.
        awakening: How much the loss changes when weights move by a tenth of their size
            or, where they are zero, by their usual initial size; if inputs matter, by
            how much more than with targets given to other rows. 0 if it is rounding.
        awakening_growth: How many times larger the change is at half the step than at
            a quarter: 2 from a slope, 4 from a curvature, 8 or more from what lies
            beyond.
        learning_rate: Current learning rate, NaN if not known.
        stability_limit: Largest curvature at which gradient descent of that rate is
            stable; NaN for other optimizers.
        exact: 1 if products of the Hessian were second derivatives, else 0.
    """

    loss: float
    loss_noise: float
    loss_scale: float
    mismatched_loss: float
    gradient_norm: float
    gradient_noise: float
    gradient_fall: float
    smallest: float
    smallest_residual: float
    largest: float
    largest_residual: float
    n_negative: float
    later_curvature: float
    escape_fall: float
    escape_even: float
    escape_step: float
    radius: float
    inert_share: float
    awakening: float
    awakening_growth: float
    learning_rate: float = math.nan
    stability_limit: float = math.nan
    exact: float = 1.0


MEASURES = tuple(field.name for field in fields(PointEvidence))
"""Columns of the table `"curvature"` of a record, before those of the verdict."""


@dataclass(frozen=True, repr=False)
class CriticalPoint(Displayed):
    """What a point of the landscape of a loss is.

    Attributes:
        verdict: `"minimum"`; `"saddle"`: the loss falls along a direction of negative
            curvature; `"plateau"`: most weights change nothing, and go on changing
            nothing nearby; `"degenerate"`: most weights have neither slope nor
            curvature here, but do change the loss nearby (a zero-initialized deep net);
            `"not_stationary"`: the gradient still leads down.
        reason: Why, with numbers.
        doubts: What is uncertain about it; empty if nothing is.
        evidence: What was measured, a `PointEvidence`.
    """

    verdict: PointVerdict
    reason: str
    doubts: tuple[str, ...]
    evidence: PointEvidence

    @property
    def certain(self) -> bool:
        """Whether there are no doubts."""
        return not self.doubts

    @property
    def sharpness(self) -> float:
        """Largest eigenvalue over the learning rate's limit: unstable above 1."""
        return self.evidence.largest / self.evidence.stability_limit

    def __str__(self) -> str:
        e = self.evidence
        lines = [
            f"{self.verdict}: {self.reason}",
            f"  loss {e.loss:.5g}, gradient norm {e.gradient_norm:.3g} "
            f"(noise {e.gradient_noise:.1g})",
            f"  curvature from {e.smallest:.4g} (+- {e.smallest_residual:.1g}) to "
            f"{e.largest:.4g} (+- {e.largest_residual:.1g}), negative directions seen: "
            f"{int(e.n_negative)}",
            _escape(e),
        ]
        if math.isfinite(self.sharpness):
            lines.append(
                f"  largest curvature is {self.sharpness:.2g} of what learning rate "
                f"{e.learning_rate:.3g} bears ({e.stability_limit:.4g})"
            )
        lines += [f"  in doubt: {doubt}" for doubt in self.doubts]
        return wrapped("\n".join(lines))


def judge_point(evidence: PointEvidence, *, flat: float = 1e-3) -> CriticalPoint:
    """Say what a point of a landscape is.

    Nothing here depends on the unit of the loss or on the number of weights:

    - Falls of the loss are compared with `loss_scale`, the loss that the same
      predictions have when targets are given to other rows (or the loss itself, if it
      is larger): what is at stake in this data.
    - A point is stationary if following the gradient for a tenth of the weights' norm
      lowers the loss by less than `flat` of that. A gradient norm by itself says
      nothing: it has units, and a ravine hides a long way behind a small one.
    - Weights are inert if all of them together, moved by a tenth of their size, would
      change the loss by less than 0.1 % of the scale by slope and curvature. Where most
      weights are, and it does not matter to the loss which row has which target, the
      point is flat: degenerate if the loss then grows faster than by a curvature.
    - Negative curvature makes a saddle if the loss does fall along it, by more than
      rounding, on both sides alike, and if it is still negative where the gradient
      leads. Near a minimum it is not: there, negative curvature comes from the gradient
      that is left, and goes with it.

    Args:
        evidence: What was measured.
        flat: Share of the loss scale that counts as nothing.

    Returns:
        A `CriticalPoint`.
    """
    e = evidence
    # The order matters. Where the gradient still leads down, training will move on
    # whatever the curvature is, and on flat ground there is no curvature.
    if _leads_down(e, flat):
        verdict: PointVerdict = "not_stationary"
    elif _is_flat(e, flat) and not _leads_off(e, flat):
        awake = e.awakening > LOSS_NOISES * e.loss_noise and e.awakening_growth > 4
        verdict = "degenerate" if awake else "plateau"
    else:
        verdict = "saddle" if _is_saddle(e) else "minimum"
    return CriticalPoint(
        verdict, _reason(verdict, e), tuple(_doubts(verdict, e, flat)), e
    )


def _share(e: PointEvidence, fall: float) -> float:
    return fall / e.loss_scale if e.loss_scale > 0 else 0.0


def _leads_down(e: PointEvidence, flat: float) -> bool:
    return _share(e, e.gradient_fall) >= flat


def _is_flat(e: PointEvidence, flat: float) -> bool:
    gained = e.mismatched_loss - e.loss
    return e.inert_share >= FLAT_SHARE and gained <= flat * e.loss_scale


def _leads_off(e: PointEvidence, flat: float) -> bool:
    """Return whether there is a way off a flat point that curvature shows."""
    return _is_negative(e) and _is_saddle(e) and _share(e, e.escape_fall) > flat


def _is_negative(e: PointEvidence) -> bool:
    return e.smallest < -e.smallest_residual


def _is_saddle(e: PointEvidence) -> bool:
    lasts = e.later_curvature < -e.smallest_residual
    if not _is_negative(e):  # the loss itself may show what products are too coarse for
        lasts = e.smallest < 0 and e.later_curvature < e.smallest / 2
    return lasts and e.escape_even > LOSS_NOISES * e.loss_noise


def _escape(e: PointEvidence) -> str:
    if e.escape_step == 0:
        return "  along the most negative direction the loss does not fall"
    return (
        f"  along the most negative direction the loss falls by {e.escape_fall:.3g} at "
        f"a step of {abs(e.escape_step):.3g} (a tenth of the weights: {e.radius:.3g})"
    )


def _reason(verdict: PointVerdict, e: PointEvidence) -> str:
    if verdict == "not_stationary":
        return (
            f"following the gradient lowers the loss by {e.gradient_fall:.3g}, "
            f"{_share(e, e.gradient_fall):.2%} of what is at stake ({e.loss_scale:.4g})"
        )
    if verdict == "saddle":
        return (
            f"the curvature is {e.smallest:.3g} in the most negative direction, and "
            f"the loss falls along it by {e.escape_fall:.3g}"
        )
    if verdict == "minimum":
        text = "the gradient leads nowhere, and no direction of negative curvature"
        text += " that lasts was seen"
        if e.inert_share > 0.05:
            text += f"; {e.inert_share:.0%} of the weights have no curvature"
        return text
    text = f"{e.inert_share:.0%} of the weights have neither slope nor curvature"
    if verdict == "plateau":
        return text + ", and do not change what the model makes of its inputs nearby"
    return text + f", but farther on they change the loss, by {e.awakening:.3g}"


def _doubts(verdict: PointVerdict, e: PointEvidence, flat: float) -> list[str]:
    doubts = []
    fall = _share(e, e.gradient_fall)
    if flat / 3 < fall < 3 * flat:
        doubts.append(
            f"whether it is stationary: the gradient's fall, {fall:.2%} of what is at "
            f"stake, is close to the {flat:.1%} that counts as nothing"
        )
    if not e.exact:
        doubts.append("the curvature is from differences of gradients")
    if verdict == "minimum" and _is_negative(e) and e.escape_even > 0:
        doubts.append(
            f"negative curvature of {e.smallest:.2g} was seen, but "
            + (
                "the loss does not fall measurably along it"
                if e.escape_even <= LOSS_NOISES * e.loss_noise
                else "it goes where the gradient leads"
            )
        )
    # Curvature may be this far below the smallest that was found. How much the loss
    # would fall along such a direction tells whether that matters.
    unseen = min(e.smallest, 0.0) - e.smallest_residual
    if verdict == "minimum" and _share(e, -unseen * e.radius**2 / 2) > flat:
        doubts.append(
            f"the smallest curvature is known to +- {e.smallest_residual:.2g} only: a "
            "saddle that shallow would not have been seen"
        )
    if verdict == "saddle" and e.smallest > -3 * e.smallest_residual:
        doubts.append(
            f"the negative curvature, {e.smallest:.2g}, is close to the bound of its "
            f"error, {e.smallest_residual:.1g}"
        )
    if verdict in ("plateau", "degenerate") and e.inert_share < 0.75:
        doubts.append(f"only {e.inert_share:.0%} of the weights are inert")
    return doubts
