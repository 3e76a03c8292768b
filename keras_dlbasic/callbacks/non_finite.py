"""The step at which a run stopped having finite gradients."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from keras_dlbasic._display import Displayed, wrapped
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.records import TrainingRecord


@names_nearest
@dataclass(frozen=True, repr=False)
class NonFiniteReport(Displayed):
    """Report on the first step with non-finite gradients.

    Attributes:
        step: The first such step among the sampled ones, 0-based.
        epoch: Its epoch, 0-based.
        batch_loss: Loss of its batch, which may be finite.
        gradients: Paths of the variables whose gradients were not finite.
        weights_before: Paths of the variables that were NaN or infinite before the
            step. If there are none, the step itself is the cause: its batch, or its
            forward or backward pass.
        last_finite_step: The last sampled step with finite gradients before it, or
            None.
        last_finite_norms: Gradient norm by path at that step.
        stopped: Whether training was stopped at that step.

    Example:
    >>> from keras_dlbasic.callbacks import NonFiniteReport
    >>> report = NonFiniteReport(7, 0, 2.5, ("dense/kernel",), ("dense/bias",))
    >>> print(report)
    Stopped at step 8 (epoch 1): the gradients of 1 variable are not finite; the batch
    loss is 2.5.
    Not finite before the step: dense/bias.
    """

    step: int
    epoch: int
    batch_loss: float
    gradients: tuple[str, ...]
    weights_before: tuple[str, ...]
    last_finite_step: int | None = None
    last_finite_norms: dict[str, float] = field(default_factory=dict)
    stopped: bool = True

    def __str__(self) -> str:
        place = f"step {self.step + 1} (epoch {self.epoch + 1})"
        n = len(self.gradients)
        lines = [
            f"{'Stopped' if self.stopped else 'First seen'} at {place}: the gradients "
            f"of {n} variable{'s' * (n != 1)} are not finite; the batch loss is "
            f"{self.batch_loss:g}."
        ]
        if self.weights_before:
            lines.append(
                "Not finite before the step: " + _listed(self.weights_before) + "."
            )
        else:
            lines.append(
                "All weights were finite before the step: check its batch for NaN, "
                "then run `gradients.localize_non_finite(model, x)`."
            )
        if self.last_finite_step is not None:
            largest = max(
                self.last_finite_norms, key=self.last_finite_norms.__getitem__
            )
            lines.append(
                f"Largest gradient norm at step {self.last_finite_step + 1}, the last "
                f"finite one: {self.last_finite_norms[largest]:.3g} at {largest}."
            )
        return wrapped("\n".join(lines))


def first_non_finite(
    record: TrainingRecord, *, since: int = 0, stopped: bool = False
) -> NonFiniteReport | None:
    """Return a report on the first sampled step that is not finite, None without one.

    Args:
        record: What was measured.
        since: The first step that counts.
        stopped: Whether training was stopped there.
    """
    first = int(np.searchsorted(record.steps, since))
    counts = record.non_finite[first:].sum(axis=1)
    finite = np.isfinite(record.weight_norm[first:]).all(axis=1)
    # Loss scaling that finds its scale too large skips the step, as it is meant to.
    as_meant = record.skipped[first:] & finite & np.isfinite(record.batch_loss[first:])
    found = ((counts > 0) | ~finite) & ~as_meant
    if not found.any():
        return None
    row = first + int(np.argmax(found))
    sound = np.flatnonzero((counts[: row - first] == 0) & finite[: row - first])
    paths = [variable.path for variable in record.variables]
    last = first + int(sound[-1]) if len(sound) else None
    norms = [] if last is None else record.gradient_norm[last].tolist()
    return NonFiniteReport(
        step=int(record.steps[row]),
        epoch=int(record.step_epochs[row]),
        batch_loss=float(record.batch_loss[row]),
        gradients=_chosen(paths, record.non_finite[row] > 0),
        weights_before=_chosen(paths, ~np.isfinite(record.weight_norm[row])),
        last_finite_step=None if last is None else int(record.steps[last]),
        last_finite_norms=dict(zip(paths, norms, strict=False)),
        stopped=stopped,
    )


def _chosen(paths: list[str], mask: np.ndarray) -> tuple[str, ...]:
    return tuple(path for path, chosen in zip(paths, mask, strict=True) if chosen)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (
        f" and {len(names) - 5} more" if len(names) > 5 else ""
    )
