"""AugmentedBatches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_dlbasic._arguments import check_whole, shown
from keras_dlbasic._data.read import read
from keras_dlbasic._wrong_arguments import names_nearest


@names_nearest
class AugmentedBatches(keras.utils.PyDataset):
    """Batches of arrays that are augmented again in each epoch.

    For `model.fit` on any backend. Use it for augmentation that cannot be a layer of
    the model, such as mixing images with their labels, or changing texts.

    Args:
        x: Inputs: an array, tensor, data frame, list or a structure of these; or a data
            set, which is read into memory.
        y: Targets, likewise; None with a data set, whose batches are `(x, y)` without
            sample weights.
        augment: `augment(x, y)` takes a batch and returns both, such as
            `ImageAugmentation(...).batch`.
        batch_size: Rows in a batch; the last one may be shorter. Defaults to 32.
        seed: Seed of the shuffling, which differs from epoch to epoch. Defaults to 0.

    Raises:
        TypeError: If `augment` is no function of a batch.
        ValueError: If `batch_size` is no number of rows, or the data cannot be read.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> doubled = lambda x, y: (2 * x, y)
    >>> x, y = np.ones((5, 2)), np.arange(5)
    >>> data = kd.augmentation.AugmentedBatches(x, y, doubled, batch_size=4)
    >>> len(data), data[0][0].tolist()[0]
    (2, [2.0, 2.0])
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        augment: Callable[[Any, Any], tuple[Any, Any]],
        *,
        batch_size: int = 32,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_whole("batch_size", batch_size)
        if isinstance(augment, keras.layers.Layer) or not callable(augment):
            way = " Give its `batch`." if hasattr(augment, "batch") else ""
            raise TypeError(
                "`augment` must be a function `augment(x, y)` that returns both. "
                f"Received: {shown(augment)}.{way}"
            )
        found = read(x, y, takes_weights=False)
        self._data, self._rows = (found.x, found.y), found.n_rows
        self._augment, self._batch_size = augment, batch_size
        self._rng = np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self) -> int:
        return -(-self._rows // self._batch_size)

    def __getitem__(self, index: int) -> Any:
        """Return inputs and targets of a batch."""
        rows = self._order[index * self._batch_size :][: self._batch_size]
        x, y = keras.tree.map_structure(lambda leaf: np.asarray(leaf)[rows], self._data)
        return keras.tree.map_structure(_array, tuple(self._augment(x, y)))

    def on_epoch_end(self) -> None:
        """Draw the order of the next epoch."""
        self._order = self._rng.permutation(self._rows)


def _array(leaf: Any) -> Any:
    return keras.ops.convert_to_numpy(leaf) if keras.ops.is_tensor(leaf) else leaf
