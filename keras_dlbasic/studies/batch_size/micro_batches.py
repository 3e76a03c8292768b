"""A data set cut into micro-batches whose mean gradients add up to the whole."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_dlbasic._arguments import check_whole
from keras_dlbasic._data.read import read
from keras_dlbasic._trials.batch_sizes import flatten, map_leaves


class MicroBatches(keras.utils.PyDataset):
    """Micro-batches of equal size, weighted for exact gradient accumulation.

    Keras averages the means of micro-batches equally. With `k` micro-batches of `m`
    rows and `n` samples, the weights are scaled by `k * m / n`; rows that fill up the
    last micro-batch repeat its last sample with weight zero. So the average is the
    weighted sum over all samples divided by `n`: what one batch of `n` gives.

    Rows are read when they are needed: arrays on disk (`numpy.memmap`, HDF5) are never
    read as a whole.

    Args:
        x: Inputs: an array or a list, tuple or dict of arrays.
        y: Targets, likewise.
        sample_weight: Weights of the samples: an array for all outputs, or a structure
            like `y`. Defaults to None: ones.
        micro_batch: Most rows in a micro-batch.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.studies.batch_size.micro_batches import MicroBatches
    >>> data = MicroBatches(np.zeros((5, 2)), np.zeros(5), micro_batch=2)
    >>> len(data), data[2][2]  # 3 micro-batches; weights 3 * 2 / 5 and padding
    (3, array([1.2, 0. ], dtype=float32))
    """

    def __init__(
        self, x: Any, y: Any, *, sample_weight: Any = None, micro_batch: int = 256
    ) -> None:
        super().__init__()
        check_whole("micro_batch", micro_batch)
        found = read(x, y, sample_weight=sample_weight, needs_y=True)
        x, y, sample_weight = found.x, found.y, found.sample_weight
        self.rows = found.n_rows
        self._x, self._y, self._weight = x, y, sample_weight
        # Floor division of a negated number rounds up.
        self.micro_steps = -(-self.rows // micro_batch)
        # as even as possible, so that the last one has few rows to fill up
        self.micro_batch = -(-self.rows // self.micro_steps)

    def __len__(self) -> int:
        return self.micro_steps

    def __getitem__(self, index: int) -> tuple[Any, Any, Any]:
        """Return inputs, targets and weights of a micro-batch."""
        start = index * self.micro_batch
        stop = min(start + self.micro_batch, self.rows)
        x, y, weight = (
            map_leaves(lambda leaf: self._rows_of(leaf, start, stop), part)
            for part in (self._x, self._y, self._weight)
        )
        return x, y, self._scaled(y, weight, stop - start)

    def _rows_of(self, array: Any, start: int, stop: int) -> np.ndarray:
        rows = np.asarray(array[start:stop])
        # All micro-batches have one shape, for which the step is compiled once. What
        # fills up the last one is copies of a row, which are finite, with a weight of
        # zero.
        missing = self.micro_batch - (stop - start)
        if missing:
            rows = np.concatenate([rows, np.repeat(rows[-1:], missing, axis=0)])
        return rows

    def _scaled(self, y: Any, weight: Any, present: int) -> Any:
        factor = np.zeros(self.micro_batch, np.float32)
        # Keras divides the loss of a micro-batch by its rows, and the sum of the
        # gradients by the number of micro-steps. With this factor both come to the mean
        # over all rows, though the last micro-batch has fewer.
        factor[:present] = self.micro_steps * self.micro_batch / self.rows

        def scaled(own: Any, target: Any) -> np.ndarray:
            own = factor if own is None else np.asarray(own, np.float32)
            # trailing axes of one: Keras does not spread a vector of weights over
            # losses that have a value for each place in a sequence or an image
            ndim = max(np.ndim(target), own.ndim, 1)
            shape = (len(factor),) + (1,) * (ndim - 1)
            if own is factor:
                return factor.reshape(shape)
            own = own.reshape(own.shape + (1,) * (ndim - own.ndim))
            return own * factor.reshape(shape)

        if weight is None:
            return map_leaves(lambda target: scaled(None, target), y)
        if isinstance(weight, (dict, list, tuple)):
            return _zip_leaves(scaled, weight, y)
        return map_leaves(lambda target: scaled(weight, target), y)


def _zip_leaves(function: Any, weight: Any, y: Any) -> Any:
    """Apply `function` to weights and targets of the same structure."""
    if isinstance(y, dict):
        given = weight if isinstance(weight, dict) else {}
        return {key: _zip_leaves(function, given.get(key), y[key]) for key in y}
    if isinstance(y, (list, tuple)):
        if len(weight) != len(y):
            raise ValueError(
                "`sample_weight` must be one array or a structure like `y`. Received "
                f"{len(weight)} weights for {len(y)} outputs."
            )
        parts = [_zip_leaves(function, w, t) for w, t in zip(weight, y, strict=True)]
        return parts if isinstance(y, list) else tuple(parts)
    return function(flatten(weight)[0] if flatten(weight) else None, y)
