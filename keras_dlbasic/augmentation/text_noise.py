"""TextNoise."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.augmentation.text_form import apply_to_texts


@names_nearest
class TextNoise:
    """Drops and swaps words of texts at random, without a translator.

    Each word is dropped with probability `strength`, and each pair of neighbors is
    swapped with probability `strength`. At least one word is kept. Call it on a list,
    an array, or in `dataset.map(lambda text, y: (noise(text), y))`.

    Args:
        strength: From 0 to 1. Defaults to 0.1.
        seed: An integer, or None (default: random).

    Raises:
        ValueError: If `strength` is not from 0 to 1.

    Reference:
        Wei & Zou (2019), EDA: easy data augmentation techniques for boosting
        performance on text classification tasks (random swap and deletion).

    Example:
    >>> import keras_dlbasic as kd
    >>> noise = kd.augmentation.TextNoise(0.3, seed=1)
    >>> noise(["the cat sat on the mat", "hello"])
    ['the cat on mat the', 'hello']
    """

    def __init__(self, strength: float = 0.1, seed: int | None = None) -> None:
        if not isinstance(strength, (int, float)) or not 0 <= strength <= 1:
            raise ValueError(
                f"`strength` must be from 0 to 1. Received: strength={strength!r}"
            )
        self.strength = strength
        self._rng = np.random.default_rng(seed)
        # `tf.data` may call from several threads
        self._lock = threading.Lock()

    def __call__(self, texts: Any) -> Any:
        """Return the texts with noise, in the form they came in."""
        return apply_to_texts(self._changed, self._changed, texts)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy is made of: all but the lock."""
        return {k: v for k, v in vars(self).items() if k != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make a copy."""
        vars(self).update(state, _lock=threading.Lock())

    def _changed(self, texts: list[str]) -> list[str]:
        with self._lock:
            return [self._noisy(text) for text in texts]

    def _noisy(self, text: str) -> str:
        words = text.split()
        if len(words) < 2:
            return text
        keep = self._rng.random(len(words)) >= self.strength
        if not keep.any():
            keep[self._rng.integers(len(words))] = True
        words = [word for word, kept in zip(words, keep, strict=True) if kept]
        place = 0
        while place < len(words) - 1:
            if self._rng.random() < self.strength:
                words[place], words[place + 1] = words[place + 1], words[place]
                place += 1  # a word moves by one place
            place += 1
        return " ".join(words)
