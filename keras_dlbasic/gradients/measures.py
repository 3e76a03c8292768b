"""What is computed of the gradients of a step, alike on all backends.

The row of a step is one float32 vector: `STEP_VALUES` values of the step, then
`len(MEASURES)` blocks of one value per variable, in the order of `records.MEASURES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from keras import ops

STEP_VALUES = (
    "batch_loss",
    "learning_rate",
    "skipped",
    "batch_size",
    "replica_gradient_norm",
)

UNKNOWN = -(2.0**120)
"""What stands for NaN on the device, since debuggers of training steps stop at NaN.

No measure is as low. Keras takes the mean over replicas: they agree on all that is
masked so, which the loss of a replica's own samples is not."""

SAFE_SQUARES = (1e-30, 1e37)
"""Between these a float32 sum of squares has neither lost nor overflown anything."""


@dataclass(frozen=True)
class Clipping:
    """How an optimizer clips, in Keras' order of precedence.

    Attributes:
        kind: `"clipnorm"`, `"global_clipnorm"`, `"clipvalue"` or None.
        limit: The threshold.
    """

    kind: str | None = None
    limit: float = 0.0

    @classmethod
    def of(cls, optimizer: Any) -> Clipping:
        """Read the clipping of a Keras optimizer."""
        for kind in ("clipnorm", "global_clipnorm", "clipvalue"):
            limit = getattr(optimizer, kind, None)
            if limit and limit > 0:
                return cls(kind, float(limit))
        return cls()


@dataclass
class Update:
    """One call of an optimizer: what went in and what came out.

    Attributes:
        variables: The Keras variables.
        gradients: Gradients as the optimizer got them; None where there is none.
        before: Weights before the update.
        after: Weights after the update.
        scale: Factor by which the loss was scaled, a number or scalar tensor.
        clipping: How the optimizer clips.
        learning_rate: Scalar tensor or number, `UNKNOWN` if it cannot be told.
        accumulated: Under gradient accumulation, what was accumulated before.
        accumulation_steps: Micro-steps per update.
        is_update: Whether this micro-step updated the weights, a scalar tensor.
        skips_non_finite: Whether an update with non-finite gradients is skipped.
        clipped: Gradients after clipping, without the scale, where they do not follow
            from `gradients`: replicas clip each its own.
        replica_square: Mean over the replicas of the squared norm of the gradient of a
            replica's own samples, scaled like `gradients`; None where there is one.
    """

    variables: list[Any]
    gradients: list[Any]
    before: list[Any]
    after: list[Any]
    scale: Any = 1.0
    clipping: Clipping = field(default_factory=Clipping)
    learning_rate: Any = UNKNOWN
    accumulated: list[Any] | None = None
    accumulation_steps: int = 1
    is_update: Any = True
    skips_non_finite: bool = False
    clipped: list[Any] | None = None
    replica_square: Any = None


def split_row(row: np.ndarray, n_measures: int) -> tuple[dict[str, float], np.ndarray]:
    """Take the row of a step apart.

    Returns:
        The values of the step by name, and an array `[n_measures, n_variables]`; NaN
        for what is not known.
    """
    row = np.where(np.isclose(row, UNKNOWN, rtol=1e-6, atol=0), np.nan, row)
    scalars = dict(zip(STEP_VALUES, row.astype(np.float64), strict=False))
    return scalars, row[len(STEP_VALUES) :].reshape(n_measures, -1)


class Kernels(Protocol):
    """The work on whole tensors, which each backend does in its own fastest way.

    Every method takes a list of dense float32 tensors (`clip_squares` and
    `clipped_squares`: gradients as the optimizer got them) and returns a vector with
    one value per tensor.
    """

    def dense(self, gradient: Any) -> Any:
        """Return a gradient as a dense float32 tensor, repeated rows summed."""

    def subtract(self, after: list[Any], before: list[Any]) -> list[Any]:
        """Return the differences, in float32; may use the memory of `before`."""

    def reread(
        self, before: list[Any], after: list[Any], deltas: list[Any]
    ) -> list[Any]:
        """Return weights before and differences once more, after `subtract`."""

    def squares(self, tensors: list[Any]) -> Any:
        """Return sums of squares, fast; may overflow or underflow."""

    def norms(self, tensors: list[Any]) -> Any:
        """Return norms that neither overflow nor underflow."""

    def max_abs(self, tensors: list[Any]) -> Any:
        """Return the largest absolute entries."""

    def non_finite(self, tensors: list[Any]) -> Any:
        """Return the counts of entries that are NaN or infinite."""

    def zero_share(self, tensors: list[Any]) -> Any:
        """Return the shares of entries that are exactly zero."""

    def clip_squares(self, gradients: list[Any]) -> Any:
        """Return the sums of squares that Keras' clipping by norm computes."""

    def clipped_squares(self, gradients: list[Any], limit: Any) -> Any:
        """Return the sums of squares after clipping entries to `limit`."""

    def cond(
        self, predicate: Any, if_true: Callable[[], Any], if_false: Callable[[], Any]
    ) -> Any:
        """Run one of two branches without synchronising where that would cost."""


def measure_row(
    kernels: Kernels, updates: list[Update], batch_loss: Any, batch_size: Any
) -> Any:
    """Compute the row of a step on the device.

    Args:
        kernels: The backend's kernels.
        updates: The optimizer calls of the step.
        batch_loss: Scalar tensor or `UNKNOWN`.
        batch_size: Scalar tensor, number or `UNKNOWN`.

    Returns:
        A float32 vector; `split_row` takes it apart.
    """
    blocks = [_measure_update(kernels, update) for update in updates]
    kept = _last_places(updates)
    skipped = False
    for update, block in zip(updates, blocks, strict=True):
        if update.skips_non_finite:
            skipped = ops.logical_or(skipped, ops.any(block[_NON_FINITE] > 0))
    replica_norm = _replica_norm(updates)
    values = (updates[0].learning_rate, skipped, batch_size, replica_norm)
    loss, *step = (
        ops.reshape(ops.cast(value, "float32"), (1,)) for value in (batch_loss, *values)
    )
    columns = [list(column) for column in zip(*blocks, strict=True)]
    if kept is not None:
        columns = [[ops.take(ops.concatenate(c), kept)] for c in columns]
    row = ops.concatenate([*step, *(v for column in columns for v in column)])
    return ops.concatenate([loss, ops.where(ops.isnan(row), _unknown(), row)])


def _unknown() -> Any:
    # of its own type: in that of `floatx` it may be infinite
    return ops.full((), UNKNOWN, "float32")


def _replica_norm(updates: list[Update]) -> Any:
    """Return the root mean square of the replicas' own norms, over all updates."""
    if any(update.replica_square is None for update in updates):
        return UNKNOWN
    parts = [
        ops.cast(update.replica_square, "float32")
        / ops.square(ops.cast(update.scale, "float32"))
        for update in updates
    ]
    return ops.sqrt(sum(parts[1:], start=parts[0]))


def final_updates(updates: list[Update]) -> list[Update]:
    """Leave out updates all of whose variables are updated again in the same step."""
    seen: set[int] = set()
    final = []
    for update in reversed(updates):
        own = {id(variable) for variable in update.variables}
        if own - seen:
            final.append(update)
        seen |= own
    return final[::-1]


def updated_variables(updates: list[Update]) -> list[Any]:
    """Return the variables that a row is about, in the order of its columns."""
    variables = [v for update in updates for v in update.variables]
    places = _last_places(updates)
    return variables if places is None else [variables[place] for place in places]


def _last_places(updates: list[Update]) -> list[int] | None:
    """Return the places of each variable's last update, None if none has two."""
    ids = [id(v) for update in updates for v in update.variables]
    last = {key: place for place, key in enumerate(ids)}
    return None if len(last) == len(ids) else sorted(last.values())


_NON_FINITE = 4


def _measure_update(kernels: Kernels, update: Update) -> tuple[Any, ...]:
    """Return the blocks of one optimizer call, in the order of `MEASURES`."""
    held = [place for place, v in enumerate(update.variables) if 0 not in v.shape]
    present = [place for place in held if _has_gradient(update, place)]
    n, m, length = len(present), len(held), len(update.variables)
    raw = [update.gradients[place] for place in present]
    gradients = [kernels.dense(gradient) for gradient in raw]
    before = [kernels.dense(update.before[place]) for place in held]
    after = [update.after[place] for place in held]
    squares = kernels.squares(gradients + before)
    deltas = kernels.subtract(after, before)
    squares = ops.concatenate([squares, kernels.squares(deltas)])
    max_abs = kernels.max_abs(gradients)
    norms, non_finite = kernels.cond(
        _is_safe(squares, max_abs, n),
        lambda: (ops.sqrt(squares), ops.zeros((n,), "float32")),
        lambda: (
            kernels.norms(gradients + kernels.reread(before, after, deltas)),
            kernels.non_finite(gradients),
        ),
    )
    # taken before `subtract`: an update to NaN cannot be undone
    plain = squares[n : n + m]
    weight_norm = ops.where(_in_range(plain), ops.sqrt(plain), norms[n : n + m])
    update_norm = norms[n + m :]
    is_finite = non_finite == 0
    scale = ops.cast(update.scale, "float32")
    gradient_norm = norms[:n] / scale
    max_abs = ops.where(is_finite, max_abs / scale, gradient_norm)
    factor = _clip_factor(kernels, update, present, raw, gradient_norm)
    factor = ops.where(is_finite, factor, _unknown())
    if update.accumulated is not None:
        factor = ops.where(update.is_update, factor, _unknown())
        update_norm = ops.where(update.is_update, update_norm, _unknown())
    zero_units = _zero_units(kernels, update, present, gradients)
    return (
        _expand(gradient_norm, present, length, UNKNOWN),
        _expand(weight_norm, held, length, 0.0),
        _expand(update_norm, held, length, 0.0),
        _expand(max_abs, present, length, UNKNOWN),
        _expand(non_finite, present, length, 0.0),
        _expand(zero_units, present, length, UNKNOWN),
        _expand(factor, present, length, UNKNOWN),
    )


def _has_gradient(update: Update, place: int) -> bool:
    # float8 training hands new scales over in place of gradients
    variable = update.variables[place]
    overwrites = getattr(variable, "overwrite_with_gradient", False)
    return update.gradients[place] is not None and not overwrites


def _is_safe(squares: Any, max_abs: Any, n: int) -> Any:
    """Tell whether plain sums of squares in float32 are good enough."""
    lost = ops.logical_and(squares[:n] == 0, max_abs > 0)
    return ops.logical_and(ops.all(_in_range(squares)), ops.logical_not(ops.any(lost)))


def _in_range(squares: Any) -> Any:
    low, high = SAFE_SQUARES
    return ops.logical_or(
        squares == 0, ops.logical_and(squares >= low, squares <= high)
    )


def _clip_factor(
    kernels: Kernels,
    update: Update,
    present: list[int],
    raw: list[Any],
    gradient_norm: Any,
) -> Any:
    """Return norm after clipping / norm before, for gradients that are finite."""
    kind, limit = update.clipping.kind, update.clipping.limit
    ones = ops.ones_like(gradient_norm)
    if kind is None:
        return ones
    if update.clipped is not None:
        after = [update.clipped[place] for place in present]
        return _ratio(ops.sqrt(kernels.squares(after)), gradient_norm)
    scale = ops.cast(update.scale, "float32")
    norm = gradient_norm
    if update.accumulated is not None:
        accumulated = [update.accumulated[place] for place in present]
        raw = [
            (kernels.dense(gradient) / scale + kernels.dense(sum_before))
            / update.accumulation_steps
            for gradient, sum_before in zip(raw, accumulated, strict=True)
        ]
        scale = ops.ones_like(scale)
        norm = ops.sqrt(kernels.squares(raw))
    if kind == "clipvalue":
        clipped = ops.sqrt(kernels.clipped_squares(raw, limit * scale)) / scale
        return _ratio(clipped, norm)
    seen = ops.sqrt(kernels.clip_squares(raw)) / scale
    if kind == "global_clipnorm":
        largest = ops.maximum(ops.max(seen), 1e-30)
        seen = ones * (ops.sqrt(ops.sum(ops.square(seen / largest))) * largest)
    return limit / ops.maximum(seen, limit)


def _ratio(after: Any, before: Any) -> Any:
    """Return after / before, 1 where there was nothing to clip."""
    is_cut = before > 0
    return ops.where(is_cut, after / ops.where(is_cut, before, 1.0), 1.0)


def _zero_units(
    kernels: Kernels, update: Update, present: list[int], gradients: list[Any]
) -> Any:
    """Return the share of zero gradients in biases and offsets."""
    chosen = [
        place
        for place, index in enumerate(present)
        if len(update.variables[index].shape) == 1
        and update.variables[index].name in ("bias", "beta")
    ]
    if not chosen:
        return ops.full((len(present),), UNKNOWN, "float32")
    shares = kernels.zero_share([gradients[place] for place in chosen])
    return _expand(shares, chosen, len(present), UNKNOWN)


def _expand(values: Any, places: list[int], length: int, fill: float) -> Any:
    """Spread `values` over a vector of `length`, `fill` elsewhere."""
    values = ops.cast(values, "float32")
    if places == list(range(length)):
        return values
    index = np.full(length, len(places), np.int32)
    index[places] = np.arange(len(places))
    filler = ops.full((1,), fill, "float32")
    return ops.take(ops.concatenate([values, filler]), index)
