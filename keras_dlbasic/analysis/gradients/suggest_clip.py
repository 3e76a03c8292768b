"""A clipping threshold from the norms that a run has seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keras_dlbasic._display import Displayed, wrapped
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.records import TrainingRecord

LEAST_STEPS = 20


@names_nearest
@dataclass(frozen=True, repr=False)
class ClipSuggestion(Displayed):
    """Thresholds for gradient clipping.

    Attributes:
        global_clipnorm: For the norm over all variables. This is the recommended one.
        clipnorm: For the norm of each single variable, which is what Keras' `clipnorm`
            clips. At each step the largest norm among the variables is taken; then the
            same percentile over the steps.
        percentile: The percentile of the norms.
        share_cut: Share of the measured steps that `global_clipnorm` would have
            clipped.
        median_factor: Median factor by which those steps would have been scaled.
        n_steps: Number of measured steps that were used.

    Example:
    >>> import keras_dlbasic as kd
    >>> print(kd.analysis.ClipSuggestion(1.5, 0.8, 90.0, 0.1, 0.7, n_steps=200))
    global_clipnorm=1.5: the 90th percentile of the gradient norms (before clipping)
    of 200 measured steps. It would have cut 10% of them, by a median factor of 0.7.
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


@names_nearest
def suggest_clip(record: TrainingRecord, *, percentile: float = 10.0) -> ClipSuggestion:
    """Propose a clipping threshold from the percentiles of the norms seen.

    AutoClip (Seetharaman et al. 2020) clips at a percentile of the norms seen so far.
    The 10th percentile did best in its experiments. Then most steps are clipped, and
    the step length hardly depends on the batch; raise the learning rate if progress
    slows down. To clip outliers only, use a percentile of 90 or more.

    Args:
        record: The record of a run without clipping. (Norms are recorded before
            clipping.)
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
