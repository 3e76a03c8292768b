"""TokenNoise."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_dlbasic._wrong_arguments import names_nearest


@names_nearest
@keras.saving.register_keras_serializable(package="keras_dlbasic")
class TokenNoise(keras.layers.Layer):
    """Masks and swaps words of a text given as token ids, in training.

    Each word is replaced by the unknown word with probability `strength`, and each pair
    of neighbors is swapped with probability `strength`. Padding (0) is not changed. For
    strings use `augmentation.TextNoise`.

    Args:
        strength: From 0 to 1. Defaults to 0.1.
        unknown: Id of the unknown word. Defaults to 1, as in
            `keras.layers.TextVectorization`.
        seed: An integer, or None (default: random).
        **kwargs: `name`, `dtype`.

    Raises:
        ValueError: If `strength` is not from 0 to 1.

    Reference:
        Wei & Zou (2019), EDA: easy data augmentation techniques for boosting
        performance on text classification tasks (random swap and deletion).

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> layer = kd.augmentation.TokenNoise(1.0, seed=0)
    >>> np.asarray(layer(np.array([[5, 6, 7, 0]]), training=True)).tolist()
    [[1, 1, 1, 0]]
    """

    def __init__(
        self,
        strength: float = 0.1,
        unknown: int = 1,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(strength, (int, float)) or not 0 <= strength <= 1:
            raise ValueError(
                f"`strength` must be from 0 to 1. Received: strength={strength!r}"
            )
        kwargs.setdefault("dtype", "int32")
        super().__init__(**kwargs)
        self.strength = strength
        self.unknown = unknown
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:  # noqa: D102
        if not training or not self.strength:
            return inputs
        changed = self._swapped(inputs)
        drawn = self._drawn(changed)
        unknown = ops.cast(self.unknown, changed.dtype)
        return ops.where(drawn & (changed != 0), unknown, changed)

    def compute_output_shape(self, input_shape: Any) -> Any:  # noqa: D102
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "strength": self.strength,
            "unknown": self.unknown,
            "seed": self.seed,
        }

    def _drawn(self, like: Any) -> Any:
        drawn = keras.random.uniform(
            ops.shape(like), dtype="float32", seed=self.seed_generator
        )
        return drawn < self.strength

    def _swapped(self, tokens: Any) -> Any:
        """Return tokens of which some pairs, each token in one at most, are swapped."""
        # All is done with copies shifted by one place: the layer is traced, and a loop
        # over tokens would be slow.
        zero = ops.zeros_like(tokens[:, :1])
        right = ops.concatenate([tokens[:, 1:], zero], axis=1)
        left = ops.concatenate([zero, tokens[:, :-1]], axis=1)
        never = ops.zeros_like(tokens[:, :1]) != 0
        # a pair begins where none has begun just before, and both are words
        drawn = self._drawn(tokens) & (tokens != 0) & (right != 0)
        before = ops.concatenate([never, drawn[:, :-1]], axis=1)
        begins = drawn & ~before
        ends = ops.concatenate([never, begins[:, :-1]], axis=1)
        return ops.where(begins, right, ops.where(ends, left, tokens))
