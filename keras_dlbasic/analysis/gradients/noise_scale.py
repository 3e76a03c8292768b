"""The gradient noise scale and the critical batch size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dlbasic._display import Displayed, Plotted, one_line, wrapped
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.records import TrainingRecord

ESTIMANDS = ("population", "data")


@names_nearest
@dataclass(frozen=True, repr=False)
class NoiseScale(Displayed):
    """The result of `gradient_noise_scale`.

    Attributes:
        value: The noise scale in samples: trace of the covariance of single-sample
            gradients / squared norm of the mean gradient. Infinite if the mean gradient
            is not larger than the noise.
        low: Lower end of its confidence interval.
        high: Upper end, infinite where the data do not bound it.
        noise: Unbiased estimate of the trace.
        signal: Unbiased estimate of the squared norm; it may be negative.
        level: Confidence level of the interval.
        estimand: `"population"` or `"data"`: whether the mean gradient is that of the
            population or of the data set.
        measurements: Number of pairs of norms.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> scale = kd.analysis.gradient_noise_scale(
    ...     np.full((4, 2), 3.0), np.full(4, 2.0), small_batch=8, big_batch=32
    ... )
    >>> scale.estimand, scale.measurements
    ('population', 4)
    """

    value: float
    low: float
    high: float
    noise: float
    signal: float
    level: float
    estimand: str
    measurements: int

    @property
    def critical_batch_size(self) -> float:
        """The batch size that needs twice the minimum of steps and of samples."""
        return self.value

    def steps_factor(self, batch_size: float) -> float:
        """Return steps needed / fewest possible steps: `1 + value / batch_size`."""
        return 1.0 + self.value / batch_size

    def samples_factor(self, batch_size: float) -> float:
        """Return samples needed / fewest possible: `1 + batch_size / value`."""
        return 1.0 + batch_size / self.value if self.value > 0 else float("inf")

    def __str__(self) -> str:
        return wrapped(
            f"gradient noise scale {self.value:.3g} samples "
            f"({self.level:.0%} interval {self.low:.3g} to {self.high:.3g}, "
            f"{self.estimand}, {self.measurements} measurements)"
        )


@names_nearest
def gradient_noise_scale(
    small_norms: Any,
    big_norms: Any,
    *,
    small_batch: float,
    big_batch: float,
    data_size: int | None = None,
    level: float = 0.95,
) -> NoiseScale:
    """Estimate the gradient noise scale from gradient norms at two batch sizes.

    McCandlish et al. 2018, "An Empirical Model of Large-Batch Training", appendix A.1.
    With the mean gradient `G` and the covariance `S` of single-sample gradients, a
    batch of `b` has `E|g_b|^2 = |G|^2 + tr(S) / b`. Two batch sizes give unbiased
    estimates of both terms::

        tr(S) = (|g_small|^2 - |g_big|^2) / (1 / small - 1 / big)
        |G|^2 = |g_big|^2 - tr(S) / big

    Their ratio is biased, so both are averaged over the measurements first. The
    interval is Fieller's, for a ratio of means. The big batch may contain the small
    one. With `data_size`, batches are drawn without replacement, and the mean gradient
    is that of the data set (`1 / b` becomes `1 / b - 1 / data_size`). Without it, the
    mean gradient is that of the population. The interval covers the sampling of the
    batches, not that of the data set.

    The critical batch size is derived for plain gradient descent with the best learning
    rate. Adam and similar optimizers rescale the gradient: for them it gives the order
    of magnitude only.

    Args:
        small_norms: Gradient norms at the small batch size, `[n]` or `[n, k]`: several
            small batches for one big one are averaged.
        big_norms: Gradient norms at the big batch size, `[n]`, at the same weights.
        small_batch: Samples in the small batch.
        big_batch: Samples in the big batch.
        data_size: Samples in the data set. Defaults to None: see above.
        level: Confidence level of the interval. Defaults to 0.95.

    Returns:
        A `NoiseScale`.

    Raises:
        ValueError: If the batch sizes or shapes do not fit.

    Example:
    >>> from keras_dlbasic.analysis import gradient_noise_scale
    >>> scale = gradient_noise_scale(
    ...     [2.0, 2.2, 1.8], [1.0, 1.1, 1.0], small_batch=1, big_batch=16
    ... )
    >>> round(scale.value, 2)
    3.61
    >>> round(scale.steps_factor(32), 2)  # at 32 samples, 1.11 of the fewest steps
    1.11
    """
    small, big = np.asarray(small_norms, np.float64), np.asarray(big_norms, np.float64)
    if not 0 < small_batch < big_batch:
        raise ValueError(
            "`small_batch` must be above 0 and below `big_batch`. Received: "
            f"small_batch={small_batch}, big_batch={big_batch}"
        )
    if big.ndim != 1 or not len(big) or small.shape[:1] != big.shape:
        raise ValueError(
            "`small_norms` must have one row per entry of `big_norms`, at least one. "
            f"Received shapes: {small.shape} and {big.shape}"
        )
    if data_size is not None and data_size < big_batch:
        raise ValueError(
            "`data_size` must be at least `big_batch`. Received: "
            f"data_size={data_size}, big_batch={big_batch}"
        )
    # Both terms are solved for in each measurement and averaged only later: a ratio of
    # two noisy numbers has a bias that its average keeps.
    squares = np.square(small).reshape(len(big), -1).mean(axis=1)
    big_squares = np.square(big)
    noise = (squares - big_squares) / (1.0 / small_batch - 1.0 / big_batch)
    rest = 1.0 / big_batch - (1.0 / data_size if data_size else 0.0)
    return noise_scale_of(
        noise,
        big_squares - noise * rest,
        estimand=ESTIMANDS[data_size is not None],
        level=level,
    )


def noise_scale_of(
    noise: Any, signal: Any, *, estimand: str = "population", level: float = 0.95
) -> NoiseScale:
    """Combine unbiased estimates of both terms, one a measurement.

    Measurements at different batch sizes may be mixed.

    Args:
        noise: Estimates of the trace of the covariance, `[n]`.
        signal: Estimates of the squared norm of the mean gradient, `[n]`.
        estimand: `"population"` or `"data"`.
        level: Confidence level.

    Returns:
        A `NoiseScale`.
    """
    if estimand not in ESTIMANDS:
        raise ValueError(
            f"`estimand` must be one of {ESTIMANDS}. Received: {estimand!r}"
        )
    noise, signal = np.asarray(noise, np.float64), np.asarray(signal, np.float64)
    finite = np.isfinite(noise) & np.isfinite(signal)
    noise, signal = noise[finite], signal[finite]
    n = len(noise)
    if not n:
        nan = float("nan")
        return NoiseScale(nan, nan, nan, nan, nan, level, estimand, 0)
    # A signal that comes out below zero is no error: near a minimum it is lost in the
    # noise. The scale is then unbounded, not negative.
    top, bottom = float(noise.mean()), float(signal.mean())
    value = max(top, 0.0) / bottom if bottom > 0 else float("inf")
    low, high = _fieller(noise, signal, level) if n > 1 else (0.0, float("inf"))
    low, high = min(low, value), max(high, value)  # but for rounding
    return NoiseScale(value, low, high, top, bottom, level, estimand, n)


@names_nearest
def replica_noise_scale(record: TrainingRecord) -> NoiseScaleCurve:
    """Compute the gradient noise scale from a run on several replicas.

    The gradient of a replica is that of a small batch, and the mean over replicas is
    that of a big batch. So the noise scale costs no extra gradients. Steps whose batch
    does not split evenly, such as a short last one, are left out.

    Args:
        record: The record of a `GradientNormMonitor` in a fit under TensorFlow's
            `MirroredStrategy`.

    Returns:
        A `NoiseScaleCurve` with estimand `"population"`.

    Raises:
        ValueError: If no step was measured on several replicas. On JAX and PyTorch, use
            `studies.GradientNoiseScale` instead.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> record = kd.records.TrainingRecord(
    ...     [kd.records.VariableInfo("dense/kernel", "dense", "kernel", (3, 2), 0)],
    ...     {"replicas": 2, "batch_size": 32},
    ... )
    >>> measured = {"batch_size": 32, "skipped": 0, "replica_gradient_norm": 3.0}
    >>> for step in range(3):
    ...     record.append_step(step, measured, np.full((7, 1), 2.5))
    >>> kd.analysis.replica_noise_scale(record).overall().value
    25.14...
    """
    size = record.batch_size
    norms = record.replica_gradient_norm
    replicas = record.facts.replicas or 1
    # The two batch sizes must be exact. In a batch that does not divide evenly the
    # replicas have unequal parts, and a short last batch would be a third size.
    known = np.isfinite(norms) & (size % replicas == 0) & ~record.skipped
    known &= size == np.nanmax(size, initial=0.0)
    if replicas < 2 or not known.any():
        raise ValueError(
            "The noise scale can only be computed from a run on several replicas. "
            f"Received: a record of {len(norms)} steps with replicas={replicas}, "
            f"{int(known.sum())} of them with the norms of replicas. Give "
            "`studies.GradientNoiseScale` to `fit` instead."
        )
    scales = [
        gradient_noise_scale(
            [small], [big], small_batch=batch / replicas, big_batch=batch
        )
        for small, big, batch in zip(
            norms[known], record.global_gradient_norm[known], size[known], strict=True
        )
    ]
    return NoiseScaleCurve(
        record.steps[known],
        np.array([scale.noise for scale in scales]),
        np.array([scale.signal for scale in scales]),
        batch_size=float(size[known][0]),
        optimizer=record.facts.optimizer_name,
        source="replicas",
    )


@names_nearest
@dataclass(frozen=True, repr=False)
class NoiseScaleCurve(Plotted):
    """The two terms of the noise scale, measured over a run.

    Attributes:
        steps: Updates at which it was measured, `[n]`, 0-based.
        noise: Unbiased estimates of the trace of the covariance, `[n]`.
        signal: Unbiased estimates of the squared norm of the mean gradient, `[n]`.
        batch_size: Samples in an update of the run; NaN if not known.
        estimand: `"population"` or `"data"`.
        optimizer: Class of the optimizer.
        source: Where the gradients come from.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis import NoiseScaleCurve
    >>> curve = NoiseScaleCurve(np.arange(4), np.full(4, 8.0), np.full(4, 2.0))
    >>> curve.overall().value  # samples
    4.0
    """

    steps: np.ndarray
    noise: np.ndarray
    signal: np.ndarray
    batch_size: float = float("nan")
    estimand: str = "population"
    optimizer: str = ""
    source: str = ""

    def __str__(self) -> str:
        if not len(self.steps):
            return "Nothing was measured."
        caveat = f" {self.caveat}" if self.caveat else ""
        return wrapped(
            f"Gradient noise scale of {len(self.steps)} measurements from "
            f"{self.source or 'a run'}: {one_line(self.overall())}{caveat}"
        )

    def overall(self, *, level: float = 0.95) -> NoiseScale:
        """Return the noise scale over the whole run."""
        return noise_scale_of(
            self.noise, self.signal, estimand=self.estimand, level=level
        )

    def blocks(self, most: int = 10) -> list[tuple[float, NoiseScale]]:
        """Return the noise scale over parts of the run, with their middle steps.

        A part has at least five measurements, because the ratio is only reliable for
        averages.
        """
        # with fewer than five measurements an interval would say nothing
        n = max(1, min(most, len(self.steps) // 5))
        parts = np.array_split(np.arange(len(self.steps)), n)
        return [
            (
                float(np.mean(self.steps[part])),
                noise_scale_of(
                    self.noise[part], self.signal[part], estimand=self.estimand
                ),
            )
            for part in parts
            if len(part)
        ]

    @property
    def caveat(self) -> str:
        """A warning about the optimizer, or an empty string."""
        if self.optimizer in ("", "SGD"):
            return ""
        return (
            f"{self.optimizer} rescales the gradient: the critical batch size is an "
            "order of magnitude only"
        )


def _fieller(top: np.ndarray, bottom: np.ndarray, level: float) -> tuple[float, float]:
    """Return the interval of mean(top) / mean(bottom), both taken to be >= 0."""
    from scipy.stats import t as student

    # The bounds are those ratios r at which mean(top) - r mean(bottom) does not differ
    # from zero by a t test: the roots of a r^2 - 2 b r + c.
    n = len(top)
    quantile = student.ppf(0.5 + level / 2, n - 1) ** 2 / n
    covariance = np.cov(top, bottom)
    a = bottom.mean() ** 2 - quantile * covariance[1, 1]
    b = top.mean() * bottom.mean() - quantile * covariance[0, 1]
    c = top.mean() ** 2 - quantile * covariance[0, 0]
    root = np.sqrt(max(b * b - a * c, 0.0))
    if a > 0 and bottom.mean() > 0:
        return max(float((b - root) / a), 0.0), max(float((b + root) / a), 0.0)
    # the mean gradient does not stand out from zero: nothing bounds the ratio above
    low = (b - root) / a if a else c / (2 * b) if b else 0.0
    return (max(float(low), 0.0) if c > 0 else 0.0), float("inf")
