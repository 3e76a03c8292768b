"""What is computed of the gradients of a step on the device, alike on all backends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from keras_dlbasic._backends.row_layout import (
    SAFE_SQUARES,
    RowLayout,
    RowLayouts,
    UpdateLayout,
)
from keras_dlbasic._backends.update import Update

UPSCALE = 2.0**80
"""Brings float32 numbers to where their squares are normal, from either end."""


class Kernels(Protocol):
    """The work on whole tensors, which each backend does in its own fastest way.

    The reductions take a list of dense float32 tensors (`clip_squares` and
    `clipped_squares`: gradients as the optimizer got them) and return a vector with one
    value per tensor.

    Tensors may be on several devices. What a reduction returns is on one of them.
    """

    ops: Any
    """Functions of vectors: `keras.ops` or what is called alike, on their device."""

    def beside(self, value: Any, tensor: Any) -> Any:
        """Return a number or tensor in float32, to compute with `tensor`.

        It is on the device of `tensor`, or a number of Python's, which is on none.
        """

    def dense(self, gradient: Any) -> Any:
        """Return a gradient as a dense float32 tensor, repeated rows summed."""

    def differences(
        self, after: list[Any], before: list[Any]
    ) -> Callable[[], list[Any]]:
        """Return what gives the differences, in float32, but for their sign.

        They are taken in float64 where the tensors are. It may use the memory of
        `before`, which is not to be read afterwards.
        """

    def squares(self, tensors: list[Any]) -> Any:
        """Return sums of squares, fast; may overflow or underflow."""

    def norms(self, tensors: list[Any], scales: Any) -> Any:
        """Return norms of the tensors times `scales`, a vector."""

    def max_abs(self, tensors: list[Any]) -> Any:
        """Return the largest absolute entries."""

    def non_finite(self, tensors: list[Any]) -> Any:
        """Return the counts of entries that are NaN or infinite."""

    def zeros(self, tensors: list[Any]) -> Any:
        """Return the counts of entries that are exactly zero."""

    def clip_squares(self, gradients: list[Any]) -> Any:
        """Return the sums of squares that clipping by norm computes, in float32."""

    def clipped_squares(self, gradients: list[Any], limit: Any) -> Any:
        """Return the sums of squares after clipping entries to `limit`."""

    def cond(
        self,
        test: Callable[..., Any],
        operands: tuple[Any, ...],
        if_true: Callable[[], Any],
        if_false: Callable[[], Any],
    ) -> Any:
        """Run one of two branches without synchronizing where that would cost.

        Args:
            test: Called with the operands, and before them NumPy or what is called
                alike on the backend; returns a truth value.
            operands: Vectors.
            if_true: Returns a tuple of vectors.
            if_false: Returns the like of it.
        """

    def row(self, loss: Any, parts: list[Any]) -> Any:
        """Join numbers and vectors to one float32 vector; `UNKNOWN` in place of NaN.

        The loss comes first, and may be NaN.
        """


def measure_row(
    kernels: Kernels,
    updates: list[Update],
    batch_loss: Any,
    batch_size: Any,
    layouts: RowLayouts,
) -> Any:
    """Compute the row of a step on the device.

    What costs is done here: the reductions of whole tensors. What follows from them is
    left to `RowLayout.read`, since small operations cost more to start than to run.

    Args:
        kernels: The backend's kernels.
        updates: The optimizer calls of the step.
        batch_loss: Scalar tensor or `UNKNOWN`.
        batch_size: Scalar tensor, number or `UNKNOWN`.
        layouts: Where to keep how to read the row.

    Returns:
        A float32 vector.
    """
    # A row is one flat vector: one transfer from the device a step, however many
    # variables there are. Which number is what is distinguished on the host, by a
    # layout that is made once a trace; a number of the row says which.
    parts: list[Any] = []
    of_updates = []
    for update in updates:
        values, of_update = update.reduced or reduce_update(kernels, update)
        parts += values
        of_updates.append(of_update)
    variables = [v for update in updates for v in update.variables]
    places = [place for update in updates for place in update.places]
    number = layouts.number(RowLayout(variables, of_updates, places))
    first = [number, updates[0].learning_rate, batch_size]
    return kernels.row(batch_loss, first + parts)


def reduce_update(kernels: Kernels, update: Update) -> tuple[list[Any], UpdateLayout]:
    """Return numbers and vectors of one optimizer call, and what they are.

    The memory of `update.before` may be used for differences.
    """
    held = [place for place, v in enumerate(update.variables) if 0 not in v.shape]
    present = [place for place in held if _has_gradient(update, place)]
    units = [place for place in present if _has_units(update.variables[place])]
    # The order of these entries is the order in the row. Each is given with its length,
    # from which the layout knows where the next begins.
    values = {"scale": (update.scale, 1), "is_update": (update.is_update, 1)}
    values["learning_rate"] = (update.learning_rate, 1)
    if update.replica_square is not None:
        values["replica_square"] = (update.replica_square, 1)
    if present:  # but where all variables are without entries
        raw = [update.gradients[place] for place in present]
        gradients = [kernels.dense(gradient) for gradient in raw]
        before = [update.before[place] for place in held]
        after = [update.after[place] for place in held]
        values |= _norms(kernels, gradients, before, after)
        if units:
            chosen = [gradients[present.index(place)] for place in units]
            values["zeros"] = (kernels.zeros(chosen), len(units))
        values |= _clipping(kernels, update, present, raw)
    layout = UpdateLayout(
        fields={name: length for name, (_, length) in values.items()},
        shapes=[tuple(v.shape) for v in update.variables],
        held=held,
        present=present,
        units=units,
        clip_kind=update.clipping.kind,
        is_accumulated=update.accumulated is not None,
        skips_non_finite=update.skips_non_finite,
    )
    return [value for value, _ in values.values()], layout


def _norms(
    kernels: Kernels, gradients: list[Any], before: list[Any], after: list[Any]
) -> dict[str, tuple[Any, int]]:
    """Return norms of gradients, weights and updates, and the gradients' extremes.

    Plain sums of squares are taken if float32 holds them, and scaled ones if not. A
    sum of zero may be of numbers that are all but zero.
    """
    n, m = len(gradients), len(before)
    # Squares of float32 leave the range of float32 below 1e-19 and above 1e19. To scale
    # all tensors first would cost a pass over them at each step; so it is done only
    # where the plain sums, or the largest entry, show that it is needed.
    max_abs = kernels.max_abs(gradients)
    tensors = gradients + [kernels.dense(x) for x in before]
    squares = kernels.squares(tensors)

    def is_exact(xp: Any, squares: Any, max_abs: Any) -> Any:
        of_gradients = _in_range(squares[:n]) | (max_abs == 0)
        return xp.all(of_gradients) & xp.all(_in_range(squares[n:]))

    norms, non_finite = kernels.cond(
        is_exact,
        (squares, max_abs),
        lambda: (kernels.ops.sqrt(squares), kernels.ops.zeros_like(squares[:n])),
        lambda: (
            _scaled_norms(kernels, tensors, squares),
            kernels.non_finite(gradients),
        ),
    )
    # from here on `before` is not to be read: its memory is used
    differences = kernels.differences(after, before)
    update_squares = kernels.squares(differences())
    (update_norms,) = kernels.cond(
        lambda xp, squares: xp.all(_in_range(squares)),
        (update_squares,),
        lambda: (kernels.ops.sqrt(update_squares),),
        lambda: (_scaled_norms(kernels, differences(), update_squares),),
    )
    return {
        "norms": (norms, n + m),
        "update_norms": (update_norms, m),
        "max_abs": (max_abs, n),
        "non_finite": (non_finite, n),
    }


def _has_gradient(update: Update, place: int) -> bool:
    # float8 training hands new scales over in place of gradients
    variable = update.variables[place]
    overwrites = getattr(variable, "overwrite_with_gradient", False)
    return update.gradients[place] is not None and not overwrites


def _has_units(variable: Any) -> bool:
    return len(variable.shape) == 1 and variable.name in ("bias", "beta")


def _in_range(squares: Any) -> Any:
    low, high = SAFE_SQUARES
    return (squares >= low) & (squares <= high)


def _scaled_norms(kernels: Kernels, tensors: list[Any], squares: Any) -> Any:
    """Return norms of tensors whose plain sums of squares may have been lost."""
    one = kernels.ops.ones_like(squares)
    scale = kernels.ops.where(squares > 1, one / UPSCALE, one * UPSCALE)
    scale = kernels.ops.where(_in_range(squares), one, scale)
    return kernels.norms(tensors, scale) / scale


def _clipping(
    kernels: Kernels, update: Update, present: list[int], raw: list[Any]
) -> dict[str, tuple[Any, int]]:
    """Return what tells how much clipping leaves: the limit and sums of squares."""
    kind, limit = update.clipping.kind, update.clipping.limit
    if kind is None:
        return {}
    n = len(present)
    found: dict[str, tuple[Any, int]] = {"limit": (limit, 1)}
    if update.clipped is not None:
        after = [update.clipped[place] for place in present]
        return {**found, "unscaled_clipped_squares": (kernels.squares(after), n)}
    # Keras divides gradients by the loss scale before it clips them. Here the limit is
    # multiplied, or the norms are divided on the host: no copy of all gradients is
    # made.
    scale = kernels.beside(update.scale, raw[0])
    if update.accumulated is not None:
        accumulated = [update.accumulated[place] for place in present]
        raw = _means(kernels, update, raw, accumulated)
        scale = 1.0
        found["mean_squares"] = (kernels.squares(raw), n)
    if kind == "clipvalue":
        squares = kernels.clipped_squares(raw, limit * scale)
        found["clipped_squares"] = (squares, n)
    else:
        found["clip_squares"] = (kernels.clip_squares(raw), n)
    return found


def _means(
    kernels: Kernels, update: Update, raw: list[Any], accumulated: list[Any]
) -> list[Any]:
    """Return the means that an update after this micro-step would be made with."""
    means = []
    for gradient, sum_before in zip(map(kernels.dense, raw), accumulated, strict=True):
        own = gradient / kernels.beside(update.scale, gradient)
        total = own + kernels.beside(sum_before, gradient)
        means.append(total / update.accumulation_steps)
    return means
