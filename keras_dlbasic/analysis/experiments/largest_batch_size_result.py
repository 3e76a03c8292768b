"""Which batch sizes fit into memory, and which to take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from keras_dlbasic._arguments import shown
from keras_dlbasic._display import Displayed, wrapped
from keras_dlbasic._wrong_arguments import names_nearest


@names_nearest
@dataclass(frozen=True, repr=False)
class TriedBatchSize(Displayed):
    """A batch size that was tried.

    Attributes:
        batch_size: Number of samples.
        fits: Whether two updates fit into memory.
        seconds: Time of both updates, including compilation.
        error: First line of the backend's error message if it did not fit; else empty.

    Example:
    >>> from keras_dlbasic.analysis import TriedBatchSize
    >>> print(TriedBatchSize(64, True, 1.5))
    batch size 64: fits, 1.5 s for two updates
    """

    batch_size: int
    fits: bool
    seconds: float
    error: str = ""

    def __str__(self) -> str:
        if not self.fits:
            reason = f": {self.error}" if self.error else ""
            return wrapped(f"batch size {self.batch_size}: does not fit{reason}")
        return (
            f"batch size {self.batch_size}: fits, {self.seconds:.3g} s for two updates"
        )


@names_nearest
@dataclass(frozen=True, repr=False)
class LargestBatchSize(Displayed):
    """The result of `studies.largest_batch_size`.

    Attributes:
        largest: The largest batch size that was trained with; None if none was.
        smallest_failed: The smallest batch size that ran out of memory; None if all
            that were tried fit.
        suggestion: The recommended batch size: `largest`, or the noise scale if it is
            known and smaller. Beyond the noise scale, larger batches cost samples and
            save few steps. None if nothing fits.
        accumulate: The recommended `gradient_accumulation_steps`: with them an update
            has as many samples as the noise scale. 1 if a batch of that size fits.
        noise_scale: The gradient noise scale in samples; None if it was not given.
        tried: All batch sizes that were tried, in order.
        rows: Number of samples in the data.

    Example:
    >>> from keras_dlbasic.analysis import largest_batch_size_of
    >>> tried = [(32, True), (64, True), (128, False), (96, True)]
    >>> largest_batch_size_of(tried, rows=1000, noise_scale=40.0).suggestion
    40
    """

    largest: int | None
    smallest_failed: int | None
    suggestion: int | None
    accumulate: int
    noise_scale: float | None
    tried: tuple[TriedBatchSize, ...]
    rows: int

    def __str__(self) -> str:
        if self.largest is None:
            failed = (one for one in self.tried if not one.fits)
            error = min(failed, key=lambda one: one.batch_size).error
            reason = f": {error}" if error else "."
            return wrapped(
                f"Not even batch size {self.smallest_failed} fits into memory{reason}"
            )
        if self.smallest_failed is None:
            found = f"All batch sizes up to {self.largest} fit into memory"
            found += " (that is all samples)." if self.largest == self.rows else "."
        else:
            found = (
                f"The largest batch size that fits into memory is {self.largest}; "
                f"{self.smallest_failed} does not."
            )
        return wrapped(f"{found} {self._advice()}")

    def _advice(self) -> str:
        if self.noise_scale is None:
            return (
                "The largest batch size is not always the best one: measure the "
                "noise scale (`studies.GradientNoiseScale`) and pass it as "
                "`noise_scale=`."
            )
        if self.accumulate > 1:
            return (
                f"The gradient noise scale is {self.noise_scale:.3g} samples: train "
                f"with batch_size={self.suggestion} and "
                f"`gradient_accumulation_steps={self.accumulate}`."
            )
        if self.noise_scale > self.rows == self.suggestion:
            return (
                f"The gradient noise scale is {self.noise_scale:.3g} samples, more "
                f"than there are: train with batch_size={self.rows} (all samples)."
            )
        return (
            f"The gradient noise scale is {self.noise_scale:.3g} samples, so larger "
            f"batches save few steps: train with batch_size={self.suggestion}."
        )

    def table(self) -> list[dict[str, Any]]:
        """Return one row for each batch size that was tried."""
        return [dict(vars(one)) for one in self.tried]


@names_nearest
def largest_batch_size_of(
    tried: Any, *, rows: int, noise_scale: float | None = None
) -> LargestBatchSize:
    """Return the batch size to train with, given which ones fit into memory.

    Args:
        tried: `TriedBatchSize` or pairs of a batch size and whether it fits.
        rows: Number of samples in the data.
        noise_scale: The gradient noise scale in samples. Defaults to None: not known.

    Raises:
        ValueError: If `tried` is empty, or `noise_scale` is no number above 0.

    Example:
    >>> from keras_dlbasic.analysis import largest_batch_size_of
    >>> found = largest_batch_size_of([(32, True), (64, False)], rows=500)
    >>> found.largest, found.smallest_failed
    (32, 64)
    """
    check_noise_scale(noise_scale)
    known = tuple(
        one
        if isinstance(one, TriedBatchSize)
        else TriedBatchSize(one[0], one[1], math.nan)
        for one in tried
    )
    if not known:
        raise ValueError(
            "`tried` must be one batch size or more, and whether each fits, such as "
            f"[(32, True), (64, False)]. Received: tried={shown(tried)}"
        )
    failed = min((one.batch_size for one in known if not one.fits), default=None)
    # what fits counts only below what does not: memory may be fragmented
    fits = [
        one.batch_size
        for one in known
        if one.fits and (failed is None or one.batch_size < failed)
    ]
    largest = max(fits, default=None)
    if largest is None or noise_scale is None:
        return LargestBatchSize(largest, failed, largest, 1, noise_scale, known, rows)
    wanted = max(1, round(min(noise_scale, rows)))
    if wanted <= largest:
        return LargestBatchSize(largest, failed, wanted, 1, noise_scale, known, rows)
    # batches of equal size, together as many samples as are wanted
    accumulate = -(-wanted // largest)
    size = -(-wanted // accumulate)
    return LargestBatchSize(largest, failed, size, accumulate, noise_scale, known, rows)


def check_noise_scale(noise_scale: float | None) -> None:
    """Check that a gradient noise scale is a number of samples, or None.

    Raises:
        ValueError: If it is no number above 0.
    """
    if noise_scale is not None and not noise_scale > 0:
        raise ValueError(
            "`noise_scale` must be a number of samples above 0, infinite if no "
            f"gradient stands out from the noise. Received: noise_scale={noise_scale!r}"
        )
