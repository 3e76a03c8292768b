"""Functions run in a graph of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def run_in_graph(function: Callable[[], Any]) -> Any:
    """Run a function that returns tensors in a graph, whose random state is its own."""
    # as Keras traces a step: control flow of the user's is Python's
    return tf.function(function, autograph=False)()
