"""What the point is at which training stands."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_dlbasic._keras.optimizer import current_learning_rate
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.landscape.critical_point import (
    FLAT_SHARE,
    LOSS_NOISES,
    CriticalPoint,
    PointEvidence,
    judge_point,
)
from keras_dlbasic.analysis.landscape.hessian_spectrum import HessianExtremes
from keras_dlbasic.analysis.landscape.lanczos import lanczos
from keras_dlbasic.landscape.hessian_extremes import hessian_extremes
from keras_dlbasic.landscape.objective import Objective, objective_of
from keras_dlbasic.landscape.optimizer_limit import stability_limit

NEAR = 0.1
"""Near are weights that differ by a tenth of their norm."""

INERT = 1e-3
"""Inert weights, moved nearby, would all together change the loss by this share."""

GRADIENT_PRODUCTS = 10
ESCAPES = 10
AWAKENINGS = 6
MISMATCHES = 4
MISMATCHED_ROWS = 4096

LOSS_UNITS = 64
"""Two losses differ from this many rounding units on."""


@names_nearest
def classify_point(
    model: Any,
    x: Any = None,
    y: Any = None,
    *,
    max_products: int = 40,
    flat: float = 1e-3,
    seed: int = 0,
    **options: Any,
) -> CriticalPoint:
    """Classify the current weights: a minimum, saddle point, plateau or slope.

    It measures the gradient, the smallest and largest eigenvalue of the Hessian,
    whether the loss falls along the most negative direction, which weights have zero
    gradient and curvature, and the rounding errors. `analysis.judge_point` describes
    how the verdict follows. It takes about as long as 150 gradients of the data. The
    model is not changed. The curvature does not include the kinks of ReLU and similar
    activations.

    Args:
        model: A built and compiled Keras model, or an `Objective`.
        x: Inputs: an array or a structure of arrays. The verdict applies to the loss on
            these rows.
        y: Targets, likewise.
        max_products: Maximum number of Hessian-vector products.
        flat: Share of the loss scale below which a change counts as zero, see
            `judge_point`.
        seed: Seed of the random directions.
        **options: `sample_weight`, `micro_batch` and `training`, see `Objective`.

    Returns:
        A `CriticalPoint`: `.verdict`, `.reason`, `.doubts` and `.evidence`.

    Raises:
        ValueError: See `Objective`; or if the loss or its derivatives are not finite.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential([
    ...     keras.Input((2,)),
    ...     keras.layers.Dense(4, "tanh", kernel_initializer="zeros"),
    ...     keras.layers.Dense(1, kernel_initializer="zeros"),
    ... ])
    >>> model.compile(loss="mse")
    >>> x = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> point = kd.landscape.classify_point(model, x, x[:, :1])
    >>> point.verdict  # all gradients are zero, and still training could go on
    'saddle'
    """
    objective = objective_of(model, x, y, **options)
    evidence = _Survey(objective, np.random.default_rng(seed)).evidence(
        max_products, seed
    )
    return judge_point(evidence, flat=flat)


class _Survey:
    """Measures around the weights of a model."""

    def __init__(self, objective: Objective, rng: np.random.Generator) -> None:
        self._objective, self._rng = objective, rng
        self._at = objective.weights()
        self._sizes, self._zero = _sizes(objective, self._at)
        self._radius = NEAR * float(np.linalg.norm(self._sizes))
        self._loss, self._gradient = objective.gradient()
        if not np.isfinite(self._loss) or not np.isfinite(self._gradient).all():
            raise ValueError(
                f"The loss is {self._loss:.4g}, and the gradient "
                + ("is finite" if np.isfinite(self._gradient).all() else "is not")
                + ". A point can only be classified if both are finite. "
                "`gradients.localize_non_finite(model, x)` shows the first such value."
            )

    def evidence(self, max_products: int, seed: int) -> PointEvidence:
        """Return all that is needed for a verdict."""
        loss_noise, gradient_noise = self._noise()
        mismatched = self._mismatched(self._at)
        scale = max(abs(self._loss), abs(mismatched))
        extremes = hessian_extremes(
            self._objective, max_products=max_products, seed=seed
        )
        fall, lower = self._follow_gradient(gradient_noise)
        # On a slope, negative curvature need not last. It is looked at again where the
        # gradient leads, along the same direction.
        later = extremes.smallest
        if lower is not None:
            v = extremes.smallest_direction
            later = float(v @ self._objective.product(v, lower))
        scale = max(scale, self._fallback_scale(scale))
        inert = self._inert(scale)
        rate = current_learning_rate(self._objective.model.optimizer)
        return PointEvidence(
            loss=self._loss,
            loss_noise=loss_noise,
            loss_scale=scale,
            mismatched_loss=mismatched,
            gradient_norm=float(np.linalg.norm(self._gradient)),
            gradient_noise=gradient_noise,
            gradient_fall=fall,
            smallest=extremes.smallest,
            smallest_residual=extremes.smallest_residual,
            largest=extremes.largest,
            largest_residual=extremes.largest_residual,
            n_negative=extremes.n_negative,
            later_curvature=later,
            **self._escape(extremes, loss_noise),
            radius=self._radius,
            inert_share=float(inert.mean()),
            **self._awakening(inert),
            learning_rate=rate,
            stability_limit=stability_limit(self._objective.model),
            exact=float(self._objective.is_exact),
        )

    # -- noise and scale ---------------------------------------------------------

    def _noise(self) -> tuple[float, float]:
        """Return how far loss and gradient move when weights move by their last bit."""
        unit = self._objective.epsilon
        loss_noise, gradient_noise = 4 * unit * abs(self._loss), 0.0
        for _ in range(2):
            # Weights that differ in their last bit are the same to the model. How far
            # the loss moves for it is the least that a difference of losses can mean.
            signs = self._rng.choice([-1.0, 1.0], len(self._at))
            moved = self._at * (1 + 2 * unit * signs)
            loss, gradient = self._objective.gradient(moved)
            loss_noise = max(loss_noise, abs(loss - self._loss))
            distance = float(np.linalg.norm(gradient - self._gradient))
            gradient_noise = max(gradient_noise, distance)
        return loss_noise, gradient_noise

    def _mismatched(self, at: np.ndarray) -> float:
        """Return the mean loss with the targets given to other rows."""
        other = self._objective.mismatched(self._rng, MISMATCHED_ROWS)
        if other is None:
            return self._loss
        return float(np.mean([next(other).loss(at) for _ in range(MISMATCHES)]))

    def _fallback_scale(self, scale: float) -> float:
        """Return another scale where the loss says nothing of what is at stake, else 0.

        So it is where it happens to cross zero, or where no row has a target of its own
        and the loss is next to nothing. A small loss of small targets is at stake.
        """
        moved = [
            abs(self._change(self._sizes * self._rng.standard_normal(len(self._at))))
            for _ in range(MISMATCHES)
        ]
        typical = float(np.median(moved))
        small = scale < 1e-6 * typical
        return typical if small and not self._targets_matter() else 0.0

    def _change(self, step: np.ndarray) -> float:
        """Return how much higher the loss is after a step."""
        change = self._objective.loss(self._at + step) - self._loss
        return change if math.isfinite(change) else math.inf

    # -- along the gradient --------------------------------------------------------

    def _follow_gradient(self, noise: float) -> tuple[float, np.ndarray | None]:
        """Return how far the gradient leads down nearby, and to where.

        The step is that of the quadratic model in the Krylov space of the gradient,
        with absolute curvatures, as long as allowed: in a ravine it goes along it. A
        slope that belongs to the top of a ridge nearby is no way to a minimum but off a
        saddle, and is left to `_escape`.
        """
        if np.linalg.norm(self._gradient) <= noise or not self._gradient.any():
            return 0.0, None
        pairs = lanczos(
            self._objective.product,
            self._gradient,
            max_products=GRADIENT_PRODUCTS,
            tolerance=1e-6,
        )
        vectors = [pairs.vector(place) for place in range(len(pairs.values))]
        slopes = np.array([float(v @ self._gradient) for v in vectors])
        ridge = (pairs.values < 0) & (np.abs(slopes) <= -pairs.values * self._radius)
        slopes[ridge] = 0.0
        # With absolute curvatures, the step goes down along negative ones as well,
        # where a plain Newton step would go up (Dauphin et al. 2014).
        lengths = _bounded_newton(slopes, np.abs(pairs.values), self._radius)
        step = sum(t * v for t, v in zip(lengths, vectors, strict=True))
        # The quadratic model may not hold as far as its best step goes, so shorter ones
        # are tried as well, and the loss itself decides.
        falls = {s: -self._change(s * step) for s in (1.0, 0.5, 0.25, 0.1, 0.03)}
        best = max(falls, key=lambda s: falls[s])
        if falls[best] <= 0:
            return 0.0, None
        return falls[best], self._at + best * step

    # -- along the most negative direction ----------------------------------------

    def _first_step(
        self, extremes: HessianExtremes, noise: float, reach: float
    ) -> float:
        """Return the step that curvature alone would show beyond rounding."""
        # Curvature c changes the loss by c * t**2 / 2 over a step t. Solve this for the
        # step at which the change stands out from rounding.
        shown = 2 * LOSS_NOISES * noise
        step = math.sqrt(2 * shown / max(abs(extremes.smallest), 1e-300))
        return float(np.clip(step, 1e-4 * reach, 1e-2 * reach))

    def _reach(self, direction: np.ndarray) -> float:
        """Return how far "near" goes in a direction.

        A tenth of the weights that it moves or, of weights that are zero, their usual
        initial size: a tenth of nothing says nothing.
        """
        sizes = self._sizes * np.where(self._zero, 1.0, NEAR)
        return math.sqrt(len(sizes) * float(np.sum((direction * sizes) ** 2)))

    def _escape(self, extremes: HessianExtremes, noise: float) -> dict[str, float]:
        v = extremes.smallest_direction
        reach = self._reach(v)
        first = self._first_step(extremes, noise, reach)
        steps = np.geomspace(first, reach, ESCAPES)
        # The mean of both sides has no slope left in it: what it falls, it falls by
        # curvature.
        ahead, behind = (
            np.array([self._change(sign * t * v) for t in steps]) for sign in (1, -1)
        )
        changes = np.concatenate([ahead, behind])
        best = int(np.argmin(changes))
        if changes[best] >= 0:
            return {"escape_fall": 0.0, "escape_even": 0.0, "escape_step": 0.0}
        # farther on, more than curvature is at work
        near = steps <= max(self._radius, first * (1 + 1e-9))
        even = float(np.min((ahead + behind)[near] / 2))
        return {
            "escape_fall": float(-changes[best]),
            "escape_even": max(-even, 0.0),
            "escape_step": float(np.concatenate([steps, -steps])[best]),
        }

    # -- weights that do nothing ----------------------------------------------------

    def _inert(self, scale: float) -> np.ndarray:
        """Tell which weights have neither slope nor curvature that matters nearby."""
        effect = np.zeros(len(self._at))
        for _ in range(2):
            signs = self._rng.choice([-1.0, 1.0], len(self._at))
            # A product adds up a whole row of the Hessian, with random signs. Where the
            # entries cancel in one draw, they hardly do so in the other.
            product = self._objective.product(self._sizes * signs)
            effect = np.maximum(effect, NEAR**2 / 2 * np.abs(self._sizes * product))
        effect += NEAR * np.abs(self._sizes * self._gradient)
        inert: np.ndarray = effect <= INERT * scale / len(self._at)
        return inert

    def _awakening(self, inert: np.ndarray) -> dict[str, float]:
        """Return how much the loss changes when weights that do nothing move.

        Where the loss depends on which target belongs to which row, only that part
        counts: a bias that shifts all outputs alike wakes nothing.
        """
        if inert.mean() < FLAT_SHARE:
            return {"awakening": 0.0, "awakening_growth": 0.0}
        matter = self._targets_matter()
        sizes = self._sizes * np.where(self._zero, 1.0, NEAR)
        changes = []
        for _ in range(AWAKENINGS):
            step = sizes * self._rng.standard_normal(len(self._at))
            if not matter:
                step = step * inert
            measure = self._matched if matter else self._plain
            changes.append([measure(step / part) for part in (1, 2, 4)])
        whole = float(np.median(changes, axis=0)[0])
        # whole steps may saturate units, which hides how fast the change grows
        _, half, quarter = np.mean(changes, axis=0)
        growth = float(half / quarter) if quarter > 0 else math.inf
        return {"awakening": whole, "awakening_growth": growth if half else 0.0}

    def _plain(self, step: np.ndarray) -> float:
        change = abs(self._change(step))
        return change if change > self._rounding(self._loss + change) else 0.0

    def _matched(self, step: np.ndarray) -> float:
        at = self._at + step
        change = abs(self._gain(at) - self._gain(self._at))
        return change if change > self._rounding(self._objective.loss(at)) else 0.0

    def _rounding(self, loss: float) -> float:
        """Return how far two losses of that size may differ by rounding."""
        unit = LOSS_UNITS * self._objective.epsilon
        return unit * max(abs(loss), abs(self._loss))

    def _gain(self, at: np.ndarray) -> float:
        """Return what it gains that rows have their own targets."""
        other = self._objective.mismatched(np.random.default_rng(0), MISMATCHED_ROWS)
        if other is None:
            return 0.0
        own, strange = self._objective.first_rows(MISMATCHED_ROWS), next(other)
        return strange.loss(at) - own.loss(at)

    def _targets_matter(self) -> bool:
        """Return whether the loss ever depends on which row has which target."""
        for _ in range(2):
            at = self._at + self._sizes * self._rng.standard_normal(len(self._at))
            if abs(self._gain(at)) > self._rounding(self._objective.loss(at)):
                return True
        return False


def _sizes(objective: Objective, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the natural size of each weight, and which weights are at zero.

    That is the root mean square of its variable, but at least a tenth of what an
    ordinary initializer would give: one over the root of the fan-in, and 1 for vectors.
    A variable that is less than a thousandth of that is at zero, and has that size.
    """
    sizes, zero = [], []
    for part in objective.split(at):
        usual = 1 / math.sqrt(math.prod(part.shape[:-1])) if part.ndim > 1 else 1.0
        size = float(np.sqrt(np.mean(part**2)))
        is_zero = size < 1e-3 * usual
        sizes.append(np.full(part.size, usual if is_zero else max(size, usual / 10)))
        zero.append(is_zero | (part.ravel() == 0))
    return np.concatenate(sizes), np.concatenate(zero)


def _bounded_newton(
    slopes: np.ndarray, curvatures: np.ndarray, radius: float
) -> np.ndarray:
    """Return the step `-slope / (curvature + shift)`, no longer than `radius`."""

    def step(shift: float) -> np.ndarray:
        found: np.ndarray = -slopes / np.maximum(curvatures + shift, 1e-300)
        return found

    if np.linalg.norm(step(0.0)) <= radius:
        return step(0.0)
    # Bisect for the least shift that brings the step within the radius. At the upper
    # end it is short enough even without any curvature.
    low, high = 0.0, float(np.linalg.norm(slopes)) / radius
    for _ in range(60):
        middle = (low + high) / 2
        if np.linalg.norm(step(middle)) > radius:
            low = middle
        else:
            high = middle
    return step(high)
