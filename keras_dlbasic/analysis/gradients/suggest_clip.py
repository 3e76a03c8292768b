"""A clipping threshold from the norms that a run has seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keras_dlbasic._display import Displayed, wrapped
from keras_dlbasic.records import TrainingRecord

LEAST_STEPS = 20


@dataclass(frozen=True, repr=False)
class ClipSuggestion(Displayed):
    """Thresholds for gradient clipping.

    Attributes:
        global_clipnorm: For the norm over all variables; the one to take.
        clipnorm: For the norm of each single variable, which is what Keras' `clipnorm`
            clips: the same percentile over steps, of the largest norm among variables.
        percentile: Which percentile of the norms it is.
        share_cut: Share of the measured steps that `global_clipnorm` would have cut.
        median_factor: Median factor by which those steps would have been scaled.
        n_steps: Number of measured steps that it rests on.
    """

    global_clipnorm: float
    clipnorm: float
    percentile: float
    share_cut: float
    median_factor: float
    n_steps: int

    def __str__(self) -> str:
        return wrapped(
            f"global_clipnorm={self.global_clipnorm:.3g}: the {self.percentile:g}th "
            f"percentile of the gradient norms (before clipping) of {self.n_steps} "
            f"measured steps. It would have cut {self.share_cut:.0%} of them, by a "
            f"median factor of {self.median_factor:.2g}."
        )


def suggest_clip(record: TrainingRecord, *, percentile: float = 10.0) -> ClipSuggestion:
    """Propose a clipping threshold from the percentiles of the norms seen.

    AutoClip (Seetharaman et al. 2020) clips at a percentile of the norms seen so far;
    the tenth did best in its experiments. So most steps are clipped, and the step's
    length hardly depends on the batch: raise the learning rate if progress slows down.
    To cut outliers only, take a percentile of 90 or more.

    Args:
        record: What was measured, in a run as you would train without clipping; norms
            are those before clipping.
        percentile: From 0 to 100. Defaults to `10`.

    Returns:
        A `ClipSuggestion`.

    Raises:
        ValueError: If `percentile` is out of range, or the record has fewer than 20
            steps with finite gradients.

    Reference:
        Seetharaman, Wichern, Pardo & Le Roux (2020), AutoClip.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> monitor = kd.callbacks.GradientNormMonitor()
    >>> x, y = np.ones((32, 4)), np.ones((32, 1))
    >>> history = model.fit(x, y, 1, epochs=1, verbose=0, callbacks=[monitor])
    >>> kd.analysis.suggest_clip(monitor.record).n_steps > 20
    True
    """
    if not 0 <= percentile <= 100:
        raise ValueError(
            f"`percentile` must be from 0 to 100. Received: percentile={percentile!r}"
        )
    usable = np.isfinite(record.global_gradient_norm) & ~record.skipped
    norms = record.global_gradient_norm[usable]
    if len(norms) < LEAST_STEPS:
        raise ValueError(
            f"A threshold needs the norms of at least {LEAST_STEPS} steps with finite "
            f"gradients. Received: a record with {len(norms)}. Train longer with "
            "`GradientNormMonitor`, or with `every=1`."
        )
    variables = record.gradient_norm[usable].astype(np.float64)
    # `clipnorm` cuts each variable by itself, so that its limit goes by the largest
    # norm that a variable has in a step.
    largest = np.max(np.where(np.isfinite(variables), variables, 0.0), axis=1)
    limit = float(np.percentile(norms, percentile))
    cut = norms > limit
    factors = limit / norms[cut] if cut.any() else np.ones(1)
    return ClipSuggestion(
        global_clipnorm=limit,
        clipnorm=float(np.percentile(largest, percentile)),
        percentile=float(percentile),
        share_cut=float(cut.mean()),
        median_factor=float(np.median(factors)),
        n_steps=len(norms),
    )
