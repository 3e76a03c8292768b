"""What the tap asks of a backend."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Protocol

import keras
import numpy as np

from keras_dlbasic._backends.guard import Guard
from keras_dlbasic._backends.loading import backend_module
from keras_dlbasic._backends.update import Update
from keras_dlbasic.gradients.measures import Kernels

Measured = Callable[[Callable[[Any], Any], Any], Any]

Tracing = Callable[[Any], Any]
"""Given a batch, returns a context for a step with it, which may be traced."""


class BackendTap(Protocol):
    """What differs between backends."""

    kernels: Kernels
    changes_in_place: bool
    """Whether gradients and weights may change after an update, within the step."""

    guard: Guard
    """Of the fit that is watched."""

    def intercept(self, optimizer: Any, sink: Callable[[Update], None]) -> Any:
        """Return a context in which `optimizer` reports each update to `sink`."""

    def wrap_step(self, measured: Measured) -> Any:
        """Return a `train_step` of Keras' signature that runs `measured`."""

    def with_row(self, outputs: Any, key: str, row: Any) -> Any:
        """Return what a step returned, with a row added to its logs."""

    def tapped_function(self, model: Any, train_step: Any) -> Any:
        """Return a train function that runs `train_step`."""

    def is_traced(self, function: Any) -> bool:
        """Return whether a train function has been traced, so that it may have run."""

    def trace(self, function: Any, args: Any) -> None:
        """Trace a train function ahead of its call with such arguments.

        Only TensorFlow can, and only there a model may have no weights until then.
        """

    def drawing_operation(self, function: Any, args: Any) -> str | None:
        """Name an operation of a train function whose random state only it has.

        For this TensorFlow traces the function, if it is not traced yet.
        """

    def args_traced_in(
        self, model: Any, args: Any, tracing: Tracing, stack: ExitStack
    ) -> Any:
        """Return arguments with which a train function traces in contexts.

        Those are entered in `stack`. Only JAX traces within the call.
        """

    def step_ended(self, logs: Any) -> None:
        """Let go of what was kept for a step whose row was taken out of `logs`."""

    def place(self) -> Any:
        """Return the function being traced: what is traced elsewhere stays there."""

    def release(self) -> None:
        """Let go of memory kept between steps."""

    def batch_size(self, leaf: Any) -> Any:
        """Return the number of rows of a part of the batch."""

    def gathered(self, rows: Any) -> Any:
        """Return rows of all replicas, given those of one."""

    def of_all_processes(self, model: Any, row: Any) -> Any:
        """Return the row of a step of all processes, the same in each."""

    def without_gradients(self, function: Callable[[], Any]) -> Any:
        """Call a function whose operations are not differentiated."""


def backend_tap() -> BackendTap:
    """Return the tap of the backend that Keras runs on.

    Raises:
        RuntimeError: If Keras' backend trains no models.
    """
    module = backend_module("tap", "Gradients can be watched")
    return module.Tap()


def row_to_numpy(row: Any) -> np.ndarray:
    """Fetch a row from the device; this waits for its step."""
    return np.asarray(keras.ops.convert_to_numpy(row))
