"""Why a run ended, and what early stopping kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from keras_dlbasic._display import Displayed, wrapped
from keras_dlbasic._wrong_arguments import names_nearest


@names_nearest
@dataclass(frozen=True, repr=False)
class StoppingReport(Displayed):
    """Why a run ended, as text (`str(report)`) and numbers. Epochs are 0-based.

    Attributes:
        stopped: Whether early stopping ended the run.
        criterion: `"patience"`, `"GL"`, `"PQ"` or `"UP"` if it did; `"other"` if
            something else stopped the run; `"epochs"` if all epochs were trained.
        monitor: Name of the monitored quantity.
        value: Value of the criterion where it stopped: epochs waited, GL in percent,
            GL / P, or strips in a row; None if early stopping did not end the run.
        threshold: What `value` was compared with, or None.
        last_epoch: Last epoch trained, None if there was none.
        best_epoch: Epoch of the best value, None if no finite value was seen.
        best: The best value, or None.
        last: The last value that was seen, or None.
        restored: Whether the weights of the best epoch were put back.
        restored_from: `"end"` of the best epoch, or its `"begin"` where the monitored
            value belongs to the weights before the epoch's only update; None if nothing
            was restored.
        epochs_waited: Epochs trained after the best one.
        seconds_waited: Time they took.
        epochs_saved: Epochs that `fit` had been asked for and that were not trained.
        non_finite_epochs: Epochs whose value was NaN or infinite.
        missing_epochs: Epochs without the monitored quantity.
        baseline: The baseline that had to be reached, or None.
        baseline_reached: Whether it was; None without a baseline.
        note: Anything else that is odd, or an empty string.

    Example:
    >>> import keras_dlbasic as kd
    >>> report = kd.analysis.StoppingReport(
    ...     True, "patience", "val_loss", 5, 5, last_epoch=19, best_epoch=14, best=0.4,
    ...     last=0.5, restored=True, restored_from="end", epochs_waited=5,
    ...     seconds_waited=2.0, epochs_saved=80,
    ... )
    >>> print(report)
    Stopped after epoch 20: 'val_loss' had not improved for 5 epochs (patience 5).
      Best: 0.4 at epoch 15. Restored the weights from the end of epoch 15. Waiting
      cost 5 epochs (2 s), in which 'val_loss' came to 0.5. 80 epochs were saved.
    """

    stopped: bool
    criterion: Literal["patience", "GL", "PQ", "UP", "other", "epochs"]
    monitor: str
    value: float | None
    threshold: float | None
    last_epoch: int | None
    best_epoch: int | None
    best: float | None
    last: float | None
    restored: bool
    restored_from: Literal["begin", "end"] | None
    epochs_waited: int
    seconds_waited: float
    epochs_saved: int
    non_finite_epochs: tuple[int, ...] = ()
    missing_epochs: tuple[int, ...] = ()
    baseline: float | None = None
    baseline_reached: bool | None = None
    note: str = ""

    def __str__(self) -> str:
        parts = [self._ending(), self._best(), self._kept(), self._cost()]
        parts += [self._baseline(), self._gaps(), self.note]
        return wrapped(" ".join(part for part in parts if part))

    @property
    def reason(self) -> str:
        """Why the run ended, in a few words."""
        if self.criterion == "patience":
            return f"no better '{self.monitor}' for {self.value:.0f} epochs"
        if self.criterion == "GL":
            return f"GL {self.value:.3g} > {self.threshold:g}"
        if self.criterion == "PQ":
            return f"GL / P {self.value:.3g} > {self.threshold:g}"
        if self.criterion == "UP":
            return f"'{self.monitor}' rose in {self.value:.0f} strips in a row"
        return "by something else" if self.criterion == "other" else "all epochs"

    def _ending(self) -> str:
        if self.last_epoch is None:
            return "No epoch was trained."
        number = self.last_epoch + 1
        limit = "" if self.threshold is None else f"{self.threshold:g}"
        if self.criterion == "patience":
            return (
                f"Stopped after epoch {number}: '{self.monitor}' had not improved for "
                f"{self.value:.0f} epochs (patience {limit})."
            )
        if self.criterion == "GL":
            return (
                f"Stopped after epoch {number}: '{self.monitor}' was {self.value:.3g} "
                f"% above its lowest (GL, threshold {limit} %)."
            )
        if self.criterion == "PQ":
            return (
                f"Stopped after epoch {number}: the generalization loss outweighed the "
                f"training progress, GL / P = {self.value:.3g} (PQ, threshold {limit})."
            )
        if self.criterion == "UP":
            return (
                f"Stopped after epoch {number}: '{self.monitor}' had risen in "
                f"{self.value:.0f} strips in a row (UP, threshold {limit})."
            )
        if self.criterion == "other":
            return (
                f"Not stopped by this callback: something else did at epoch {number}."
            )
        return f"Not stopped: all epochs up to {number} were trained."

    def _best(self) -> str:
        if self.best_epoch is None or self.best is None:
            return f"'{self.monitor}' never had a finite value to judge by."
        return f"Best: {self.best:.6g} at epoch {self.best_epoch + 1}."

    def _kept(self) -> str:
        if self.best_epoch is None:
            return "The model has the weights of the last epoch."
        if not self.restored:
            if self.epochs_waited == 0:
                return "The model has the weights of the last epoch, the best one."
            return (
                "The model has the weights of the last epoch, not the best: "
                "`restore_best_weights` was not set."
            )
        if self.restored_from == "begin":
            return (
                f"Restored the weights from the start of epoch {self.best_epoch + 1}: "
                "with one step an epoch, its value belongs to these."
            )
        return f"Restored the weights from the end of epoch {self.best_epoch + 1}."

    def _cost(self) -> str:
        if self.best_epoch is None or self.last_epoch is None:
            return ""
        parts = []
        if self.epochs_waited:
            change = ""
            if self.last is not None and self.best is not None:
                change = f", in which '{self.monitor}' came to {self.last:.6g}"
            parts.append(
                f"Waiting cost {self.epochs_waited} epochs "
                f"({self.seconds_waited:.3g} s){change}."
            )
        if self.epochs_saved:
            parts.append(f"{self.epochs_saved} epochs were saved.")
        return " ".join(parts)

    def _baseline(self) -> str:
        if self.baseline_reached is not False:
            return ""
        return f"The baseline of {self.baseline:g} was never reached."

    def _gaps(self) -> str:
        parts = []
        if self.non_finite_epochs:
            parts.append(
                f"'{self.monitor}' was NaN or infinite in "
                f"{len(self.non_finite_epochs)} epochs, first in epoch "
                f"{self.non_finite_epochs[0] + 1}; they counted as waiting."
            )
        if self.missing_epochs:
            parts.append(
                f"'{self.monitor}' was not logged in {len(self.missing_epochs)} epochs."
            )
        return " ".join(parts)
