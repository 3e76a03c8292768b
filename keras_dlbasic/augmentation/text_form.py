"""Texts in whatever form they come: lists, arrays, or tensors of `tf.data`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

Texts = list[str]


def apply_to_texts(
    function: Callable[[Texts], Texts], quiet: Callable[[Texts], Texts], texts: Any
) -> Any:
    """Return what a function makes of texts, in the form they came in.

    Args:
        function: Takes and gives a list, of the same length.
        quiet: The same, for the inside of a data pipeline.
        texts: A list or tuple of `str`, an array of `str` or `bytes`, or a string
            tensor of TensorFlow, in `tf.data` too.

    Raises:
        TypeError: If it is something else.
    """
    if _is_tensorflow(texts):
        return _in_tensorflow(quiet, texts)
    if isinstance(texts, np.ndarray) and texts.dtype.kind in "USO":
        flat = function([_text(t) for t in texts.ravel().tolist()])
        return np.array(flat, dtype=object).reshape(texts.shape)
    if isinstance(texts, (list, tuple)) and all(isinstance(t, str) for t in texts):
        return function(list(texts))
    raise TypeError(
        "Expected a list of str, an array of them, or a string tensor of TensorFlow. "
        f"Received: {texts!r:.60} of type {type(texts).__name__}"
    )


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, str):
        return value
    raise TypeError(
        f"Expected texts. Received: {value!r:.60} of type {type(value).__name__}"
    )


def _is_tensorflow(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "tensorflow"


def _in_tensorflow(function: Callable[[Texts], Texts], texts: Any) -> Any:
    tf = sys.modules["tensorflow"]  # whoever gives its tensors has imported it

    def changed(array: Any) -> Any:
        flat = function([_text(t) for t in np.asarray(array, object).ravel().tolist()])
        encoded = [text.encode() for text in flat]
        return np.array(encoded, dtype=object).reshape(np.shape(array))

    # An eager tensor has its values at hand. In a graph, such as that of `Dataset.map`,
    # TensorFlow calls the function later, with the values.
    if hasattr(texts, "numpy"):
        return tf.constant(changed(texts.numpy()), dtype=tf.string)
    result = tf.numpy_function(changed, [texts], tf.string)
    result.set_shape(texts.shape)
    return result
