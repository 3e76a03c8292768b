"""The step at which a run stopped having finite gradients."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from keras_dlbasic.records import MEASURES, TrainingRecord

_NON_FINITE = MEASURES.index("non_finite")
_GRADIENT = MEASURES.index("gradient_norm")
_WEIGHT = MEASURES.index("weight_norm")


@dataclass(frozen=True)
class NonFiniteReport:
    """What is known of the first step with non-finite gradients.

    Attributes:
        step: The step, 0-based.
        epoch: Its epoch, 0-based.
        batch_loss: Loss of its batch. May well be finite.
        gradients: Paths of the variables whose gradients were not finite.
        weights_before: Paths of the variables that held NaN or infinity before the
            step. If there are none, the step itself brought it up: its batch, its
            forward or its backward pass.
        last_finite_step: The step before with finite gradients, or None.
        last_finite_norms: Gradient norm by path at that step.
    """

    step: int
    epoch: int
    batch_loss: float
    gradients: tuple[str, ...]
    weights_before: tuple[str, ...]
    last_finite_step: int | None = None
    last_finite_norms: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [
            f"Stopped at step {self.step + 1} (epoch {self.epoch + 1}): the gradients "
            f"of {len(self.gradients)} variables are not finite; the batch loss is "
            f"{self.batch_loss:g}."
        ]
        if self.weights_before:
            lines.append(
                "Not finite before the step: " + _listed(self.weights_before) + "."
            )
        else:
            lines.append(
                "All weights were finite before the step: look at its batch (NaN in "
                "the data?), then at "
                "`gradients.localize_non_finite(model, x)`."
            )
        if self.last_finite_step is not None:
            largest = max(
                self.last_finite_norms, key=self.last_finite_norms.__getitem__
            )
            lines.append(
                f"Largest gradient norm at step {self.last_finite_step + 1}, the last "
                f"finite one: {self.last_finite_norms[largest]:.3g} at {largest}."
            )
        return "\n".join(lines)


class NonFiniteWatch:
    """Looks at every row until one is not finite."""

    def __init__(self) -> None:
        self._last: tuple[int, np.ndarray] | None = None

    def check(
        self, record: TrainingRecord, measures: np.ndarray
    ) -> NonFiniteReport | None:
        """Return a report if the last row of `record`, `measures`, is not finite."""
        step = int(record.steps[-1])
        weights_are_finite = not _not_finite(measures[_WEIGHT]).any()
        skipped = record.skipped[-1] and weights_are_finite
        if measures[_NON_FINITE].sum() == 0 and weights_are_finite:
            self._last = (step, measures[_GRADIENT])
            return None
        if skipped and np.isfinite(record.batch_loss[-1]):
            return None  # loss scaling found its scale too large, as it is meant to
        paths = [variable.path for variable in record.variables]
        last_step, last_norms = self._last or (None, np.zeros(0))
        return NonFiniteReport(
            step=step,
            epoch=int(record.step_epochs[-1]),
            batch_loss=float(record.batch_loss[-1]),
            gradients=_chosen(paths, measures[_NON_FINITE] > 0),
            weights_before=_chosen(paths, _not_finite(measures[_WEIGHT])),
            last_finite_step=last_step,
            last_finite_norms={
                path: float(norm) for path, norm in zip(paths, last_norms, strict=False)
            },
        )


def _not_finite(norms: np.ndarray) -> np.ndarray:
    return ~np.isfinite(norms)


def _chosen(paths: list[str], mask: np.ndarray) -> tuple[str, ...]:
    return tuple(path for path, chosen in zip(paths, mask, strict=True) if chosen)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (
        f" and {len(names) - 5} more" if len(names) > 5 else ""
    )
