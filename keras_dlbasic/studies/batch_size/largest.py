"""The largest batch size that fits into memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
import numpy as np

from keras_dlbasic._arguments import check_whole
from keras_dlbasic._backends.intercept import replaced
from keras_dlbasic._backends.out_of_memory import (
    give_back_memory,
    let_go,
    memory_error,
)
from keras_dlbasic._data.built import built_from
from keras_dlbasic._data.read import read
from keras_dlbasic._keras.checks import check_compiled
from keras_dlbasic._keras.optimizer import built_for
from keras_dlbasic._trials.batch_sizes import count_rows
from keras_dlbasic._trials.one_device import refuse_several_devices
from keras_dlbasic._trials.seeded import seeded
from keras_dlbasic._trials.stored_batches import take
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis import (
    LargestBatchSize,
    NoiseScale,
    TriedBatchSize,
    largest_batch_size_of,
)
from keras_dlbasic.analysis.experiments.largest_batch_size_result import (
    check_noise_scale,
)
from keras_dlbasic.callbacks.messages import Messages

FINENESS = 16
"""The search ends when the gap is so small a part of what fits."""


@names_nearest
def largest_batch_size(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    low: int = 1,
    high: int | None = None,
    noise_scale: NoiseScale | float | None = None,
    verbose: int = 1,
) -> LargestBatchSize:
    """Find the largest batch size that fits into memory, and recommend one.

    The model trains for two updates with each batch size that is tried. The size is
    doubled until memory runs out. Then the gap between the largest size that fits and
    the smallest that does not is halved, until it is a 16th of what fits. After an
    out-of-memory error the memory of the step is released. At the end weights,
    optimizer, metrics and random generators are restored bit for bit. While the search
    runs, a copy of weights and optimizer is in the host's memory.

    A later run may need more memory, because of other callbacks, longer sequences, or
    other programs on the device. If the host itself runs out of memory, the operating
    system may end the process before JAX or TensorFlow raise an error; `high` limits
    what is tried.

    Args:
        model: A compiled model on one device.
        x: Training inputs: an array, tensor, data frame, list or a structure of these;
            or a data set. A batch larger than the data is not tried.
        y: Training targets, likewise; None with a data set.
        low: The first batch size to try. Defaults to 1.
        high: The largest batch size to try. Defaults to None: all samples.
        noise_scale: The gradient noise scale of the model, in samples or as
            `studies.GradientNoiseScale` gives it. Defaults to None: not known, and the
            suggestion is the largest batch size that fits.
        verbose: Whether to say what was tried. 0 or 1. Defaults to 1.

    Returns:
        A `LargestBatchSize`: `largest`, `suggestion`, and all that was tried.

    Raises:
        ValueError: If `low` and `high` are no batch sizes, the model is distributed, or
            the data do not fit each other or the model.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> x = np.random.default_rng(0).normal(size=(48, 4)).astype("float32")
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> found = kd.studies.largest_batch_size(model, x, x[:, :1], low=16, verbose=0)
    >>> print(found)
    All batch sizes up to 48 fit into memory (that is all samples). The largest
      batch size is not always the best one: measure the noise scale
      (`studies.GradientNoiseScale`) and pass it as `noise_scale=`.
    """
    check_compiled(model)
    refuse_several_devices(model, "`largest_batch_size`")
    found = read(x, y, model=model, needs_y=False, takes_weights=False)
    data = (found.x,) if found.y is None else (found.x, found.y)
    rows = count_rows(list(data))
    low, high = _limits(low, high, rows)
    value = noise_scale.value if isinstance(noise_scale, NoiseScale) else noise_scale
    check_noise_scale(value)
    tried: list[TriedBatchSize] = []
    messages = Messages()
    with seeded(0), _left_as_it_was(model, found.x) as restore:

        def fits(size: int) -> bool:
            tried.append(_try(model, data, size, rows))
            restore()
            if verbose:
                messages.add(_said(tried[-1]))
                messages.say()
            return tried[-1].fits

        _search(fits, low, high)
    result = largest_batch_size_of(tried, rows=rows, noise_scale=value)
    if verbose:
        messages.add(str(result))
        messages.say()
    return result


def _limits(low: Any, high: Any, rows: int) -> tuple[int, int]:
    check_whole("low", low)
    check_whole("high", high, or_none=True)
    last = rows if high is None else min(int(high), rows)
    if low > last:
        raise ValueError(
            f"`low` must be at most `high` and the number of samples, {rows}. "
            f"Received: low={low!r}, high={high!r}"
        )
    return int(low), last


def _search(fits: Callable[[int], bool], low: int, high: int) -> None:
    """Try batch sizes, doubling first and then halving the gap."""
    size, largest = low, 0
    while fits(size):
        largest = size
        if size == high:
            return
        size = min(2 * size, high)
    failed = size
    while largest and failed - largest > max(1, largest // FINENESS):
        middle = (largest + failed) // 2
        if fits(middle):
            largest = middle
        else:
            failed = middle


def _try(model: Any, data: Any, size: int, rows: int) -> TriedBatchSize:
    """Train two updates with a batch size; the second one has the optimizer's slots."""
    start = time.perf_counter()
    batch = take(data, np.arange(min(size, rows)))
    options = {"batch_size": size, "epochs": 2, "shuffle": False, "verbose": 0}
    text = ""
    try:
        history = model.fit(*batch, **options)
        keras.ops.convert_to_numpy(history.history["loss"][-1])  # waits for the device
    except Exception as error:
        cause = memory_error(error)
        if cause is None:
            raise
        first = (str(cause).strip().splitlines() or [""])[0]
        text = f"{type(cause).__name__}: {first}"
        del cause
        let_go(error)
    # outside of `except`, where the error and its frames would still be alive
    give_back_memory()
    return TriedBatchSize(size, not text, time.perf_counter() - start, text)


@contextmanager
def _left_as_it_was(model: Any, x: Any) -> Iterator[Callable[[], None]]:
    """Return what puts a model back, which also happens in the end."""
    built_from(model, x)
    optimizer = model.optimizer
    with ExitStack() as stack:
        # An optimizer without variables has none to put back. So a copy of it is used,
        # and thrown away with its variables.
        if optimizer is not None and not built_for(optimizer):
            config = keras.optimizers.serialize(optimizer)
            optimizer = keras.optimizers.deserialize(config)
            # now: of a fit that fails, JAX leaves its variables without values
            optimizer.build(model.trainable_variables)
            stack.enter_context(replaced(model, "optimizer", optimizer))
        history = vars(model).get("history")
        stack.enter_context(replaced(model, "history", history))
        stack.enter_context(replaced(model, "train_function", None))
        stack.enter_context(replaced(model, "stop_training", False))
        state = _State(model, optimizer)
        try:
            yield state.restore
        finally:
            state.restore()


class _State:
    """The values of all variables of a model, in the memory of the host."""

    def __init__(self, model: Any, optimizer: Any) -> None:
        self._model = model
        found = [*model.variables, *model.metrics_variables]
        found += [] if optimizer is None else list(optimizer.variables)
        self._variables = list({id(variable): variable for variable in found}.values())
        self._values = [
            np.array(keras.ops.convert_to_numpy(variable))
            for variable in self._variables
        ]

    def restore(self) -> None:
        """Assign them; JAX may have taken the arrays of a step that failed."""
        # The metrics of `compile` have no variables before a first step. So these are
        # not among the values, and are put at their start.
        self._model.reset_metrics()
        for variable, value in zip(self._variables, self._values, strict=True):
            variable.assign(value)


def _said(one: TriedBatchSize) -> str:
    what = "fits" if one.fits else "does not fit"
    return f"Batch size {one.batch_size} {what} ({one.seconds:.1f} s)."
