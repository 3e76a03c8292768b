"""Minimum, saddle, plateau or none of them: the verdict on a point of a landscape."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal

from keras_dlbasic._display import Displayed, wrapped
from keras_dlbasic._wrong_arguments import names_nearest

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


@names_nearest
@dataclass(frozen=True, repr=False)
class PointEvidence(Displayed):
    """The measurements at a point of the loss landscape.

    Each fall of the loss was measured by computing the loss, not extrapolated. "Near"
    means within `radius`.

    Attributes:
        loss: The loss.
        loss_noise: By how much rounding may change it.
        loss_scale: The scale that changes of the loss are compared with, see
            `judge_point`.
        mismatched_loss: Mean loss when targets are shuffled among the rows.
        gradient_norm: Norm of the gradient.
        gradient_noise: How much the gradient changes when the weights change by their
            last bit. A smaller norm cannot be distinguished from zero.
        gradient_fall: How far the loss falls near the point when following the
            gradient, with curvature taken into account. Slopes of a ridge whose top is
            near are left out.
        smallest: Smallest eigenvalue of the Hessian.
        smallest_residual: Bound of its error.
        largest: Largest eigenvalue.
        largest_residual: Bound of its error.
        n_negative: Number of negative directions found; there may be more.
        later_curvature: Curvature along the most negative direction where the loss has
            fallen by `gradient_fall`.
        escape_fall: How far the loss falls near the point along the most negative
            direction. Weights that are zero may move by their usual initial size.
        escape_even: The part of it that is the same in both directions, so it is not
            caused by a slope.
        escape_step: Signed length of that step; 0 if there is none.
        radius: A tenth of the norm of the weights.
        inert_share: Share of the weights that have neither slope nor curvature.
        awakening: How much the loss changes when weights move by a tenth of their size
            or, where they are zero, by their usual initial size. If inputs matter: how
            much more it changes than with shuffled targets. 0 if it is within rounding.
        awakening_growth: Ratio of the change at half the step to that at a quarter: 2
            for a slope, 4 for a curvature, 8 or more for higher orders.
        learning_rate: Current learning rate, NaN if not known.
        stability_limit: Largest curvature at which gradient descent with that rate is
            stable; NaN for other optimizers.
        exact: 1 if Hessian-vector products are second derivatives, else 0 (differences
            of gradients).

    Example:
    >>> import keras_dlbasic as kd
    >>> evidence = kd.analysis.PointEvidence(
    ...     loss=1.0, loss_noise=1e-7, loss_scale=1.0, mismatched_loss=1.0,
    ...     gradient_norm=1e-6, gradient_noise=1e-7, gradient_fall=1e-9,
    ...     smallest=-0.5, smallest_residual=1e-4, largest=2.0, largest_residual=1e-4,
    ...     n_negative=1, later_curvature=-0.5, escape_fall=0.1, escape_even=0.1,
    ...     escape_step=0.5, radius=0.5, inert_share=0.0, awakening=0.0,
    ...     awakening_growth=2.0,
    ... )
    >>> evidence.smallest < 0 < evidence.largest  # curves down one way, up another
    True
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


@names_nearest
@dataclass(frozen=True, repr=False)
class CriticalPoint(Displayed):
    """The classification of a point of the loss landscape.

    Attributes:
        verdict: `"minimum"`; `"saddle"`: the loss falls along a direction of negative
            curvature; `"plateau"`: most weights have no effect on the loss, here and
            nearby; `"degenerate"`: most weights have neither slope nor curvature here,
            but do change the loss nearby (a zero-initialized deep net);
            `"not_stationary"`: following the gradient still lowers the loss.
        reason: Why, with numbers.
        doubts: Reasons why the verdict is uncertain; empty if it is certain.
        evidence: What was measured, a `PointEvidence`.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    >>> model = keras.Sequential([keras.Input((2,)), dense])
    >>> model.compile(loss="mse")
    >>> x = np.array([[1.0, 0.0], [0.0, 2.0]])
    >>> kd.landscape.classify_point(model, x, np.array([[0.0], [1.0]])).verdict
    'not_stationary'
    """

    verdict: PointVerdict
    reason: str
    doubts: tuple[str, ...]
    evidence: PointEvidence

    @property
    def certain(self) -> bool:
        """Whether the verdict is certain: `doubts` is empty."""
        return not self.doubts

    @property
    def sharpness(self) -> float:
        """Largest eigenvalue / its limit for a stable update; unstable above 1."""
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
                f"  largest curvature is {self.sharpness:.2g} times the stability "
                f"limit of learning rate {e.learning_rate:.3g} "
                f"({e.stability_limit:.4g})"
            )
        lines += [f"  in doubt: {doubt}" for doubt in self.doubts]
        return wrapped("\n".join(lines))


@names_nearest
def judge_point(evidence: PointEvidence, *, flat: float = 1e-3) -> CriticalPoint:
    """Classify a point of the loss landscape.

    The criteria do not depend on the unit of the loss or on the number of weights:

    - Falls of the loss are compared with `loss_scale`: the loss of the same predictions
      when targets are shuffled among the rows, or the loss itself if it is larger.
    - A point is stationary if following the gradient for a tenth of the weights' norm
      lowers the loss by less than `flat` of that. The gradient norm alone is no
      criterion: it has a unit, and in a ravine it is small far away from the minimum.
    - Weights are inert if slope and curvature predict a change of the loss below 0.1 %
      of the scale when all of them move by a tenth of their size. If most weights are
      inert, and shuffling the targets does not change the loss, the point is flat. It
      is degenerate if the loss changes faster than quadratically nearby, else a
      plateau.
    - Negative curvature makes a saddle point if the loss falls along it on both sides
      by more than rounding, and if the curvature is still negative after following the
      gradient. Near a minimum, negative curvature comes from the remaining gradient, so
      it disappears after following the gradient.

    Args:
        evidence: What was measured.
        flat: Share of the loss scale below which a change counts as zero.

    Returns:
        A `CriticalPoint`.

    Example:
    >>> import keras_dlbasic as kd
    >>> evidence = kd.analysis.PointEvidence(
    ...     loss=1.0, loss_noise=1e-7, loss_scale=1.0, mismatched_loss=1.0,
    ...     gradient_norm=1e-6, gradient_noise=1e-7, gradient_fall=1e-9,
    ...     smallest=-0.5, smallest_residual=1e-4, largest=2.0, largest_residual=1e-4,
    ...     n_negative=1, later_curvature=-0.5, escape_fall=0.1, escape_even=0.1,
    ...     escape_step=0.5, radius=0.5, inert_share=0.0, awakening=0.0,
    ...     awakening_growth=2.0,
    ... )
    >>> kd.analysis.judge_point(evidence).verdict
    'saddle'
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
            f"{_share(e, e.gradient_fall):.2%} of the loss scale ({e.loss_scale:.4g})"
        )
    if verdict == "saddle":
        return (
            f"the curvature is {e.smallest:.3g} in the most negative direction, and "
            f"the loss falls along it by {e.escape_fall:.3g}"
        )
    if verdict == "minimum":
        text = "the gradient is zero, and no direction of lasting negative curvature"
        text += " was found"
        if e.inert_share > 0.05:
            text += f"; {e.inert_share:.0%} of the weights have no curvature"
        return text
    text = f"{e.inert_share:.0%} of the weights have zero gradient and curvature"
    if verdict == "plateau":
        return text + ", and changing them slightly does not change the outputs"
    return text + f", but larger changes of them change the loss, by {e.awakening:.3g}"


def _doubts(verdict: PointVerdict, e: PointEvidence, flat: float) -> list[str]:
    doubts = []
    fall = _share(e, e.gradient_fall)
    if flat / 3 < fall < 3 * flat:
        doubts.append(
            "it may not be stationary: following the gradient lowers the loss by "
            f"{fall:.2%} of the loss scale, close to the threshold of {flat:.1%}"
        )
    if not e.exact:
        doubts.append("the curvature is from differences of gradients")
    if verdict == "minimum" and _is_negative(e) and e.escape_even > 0:
        doubts.append(
            f"negative curvature of {e.smallest:.2g} was found, but "
            + (
                "the loss does not fall measurably along it"
                if e.escape_even <= LOSS_NOISES * e.loss_noise
                else "its direction is that of the gradient"
            )
        )
    # Curvature may be this far below the smallest that was found. How much the loss
    # would fall along such a direction tells whether that matters.
    unseen = min(e.smallest, 0.0) - e.smallest_residual
    if verdict == "minimum" and _share(e, -unseen * e.radius**2 / 2) > flat:
        doubts.append(
            f"the smallest curvature is known only to +- {e.smallest_residual:.2g}, "
            "so a shallower saddle may have been missed"
        )
    if verdict == "saddle" and e.smallest > -3 * e.smallest_residual:
        doubts.append(
            f"the negative curvature, {e.smallest:.2g}, is close to the bound of its "
            f"error, {e.smallest_residual:.1g}"
        )
    if verdict in ("plateau", "degenerate") and e.inert_share < 0.75:
        doubts.append(f"only {e.inert_share:.0%} of the weights are inert")
    return doubts
