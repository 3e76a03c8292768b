"""Another batch size for data sets that make their own batches."""

from __future__ import annotations

import sys
from typing import Any

from keras_dlbasic._trials.batch_sizes import flatten, is_dataset, named_batch_size
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.callbacks.messages import Messages

KEPT = (
    "drop_last",
    "num_workers",
    "collate_fn",
    "pin_memory",
    "timeout",
    "worker_init_fn",
    "multiprocessing_context",
    "generator",
    "prefetch_factor",
    "persistent_workers",
)
"""What a DataLoader is made with besides data set, order and batch size."""


@names_nearest
def rebatch(data: Any, batch_size: str | int, *, verbose: int = 1) -> Any:
    """Return a data set with the same samples in batches of another size.

    Keras ignores `batch_size` for data sets that make their own batches. The samples
    and their order are the same; `data` is not changed. Except for `"full"`, TensorFlow
    does not know the number of batches, so Keras may warn in the first epoch that the
    input ran out of data.

    Args:
        data: A `tf.data.Dataset` of batches as `model.fit` takes it, or a
            `torch.utils.data.DataLoader`.
        batch_size: `"full"`, `"mini"`, `"single"` or a number of samples, as for
            `resolve_batch_size`. `"full"` loads all samples into memory at once (if
            they do not fit, see `full_batch`), and reads a `tf.data.Dataset` once to
            count them.
        verbose: 0 or 1: whether to print what was done.

    Returns:
        A data set of the same kind.

    Raises:
        TypeError: If `data` cannot be rebatched exactly, with the reason.
        ValueError: If `batch_size` is not one of the above, if there are no samples, or
            if the data set is infinite and `batch_size` is `"full"`.

    Example:
    >>> import tensorflow as tf
    >>> from keras_dlbasic.studies import rebatch
    >>> data = tf.data.Dataset.range(10).batch(4)
    >>> [len(batch) for batch in rebatch(data, 3, verbose=0)]
    [3, 3, 3, 1]
    """
    if is_dataset(data, "tensorflow"):
        size, made = _rebatch_tensorflow(data, batch_size)
    elif is_dataset(data, "torch"):
        size, made = _rebatch_torch(data, batch_size)
    else:
        raise TypeError(_refusal(data))
    if verbose:
        messages = Messages()
        messages.add(
            f"The {type(data).__name__} was rebatched: {size} "
            f"sample{'s' * (size > 1)} per update."
        )
        messages.say()
    return made


def _rebatch_tensorflow(data: Any, batch_size: str | int) -> tuple[int, Any]:
    n = None
    if batch_size == "full":
        if int(data.cardinality()) == -1:  # tf.data.INFINITE_CARDINALITY
            raise ValueError(
                '`batch_size="full"` needs a data set with an end. Received one that '
                "repeats forever; rebatch it before `repeat()`"
            )
        n = sum(int(flatten(batch)[0].shape[0]) for batch in data)
    size = named_batch_size(batch_size, n)
    # what came after the old batch(), such as prefetch(), is undone by unbatch()
    made = data.unbatch().batch(size).prefetch(-1)  # -1: tf.data.AUTOTUNE
    if batch_size == "full":
        tensorflow: Any = sys.modules["tensorflow"]
        made = made.apply(tensorflow.data.experimental.assert_cardinality(1))
    return size, made


def _rebatch_torch(data: Any, batch_size: str | int) -> tuple[int, Any]:
    kind = type(data)
    if not kind.__module__.startswith("torch."):
        raise TypeError(
            f"`data` is a {kind.__qualname__}, a custom DataLoader, which may create "
            f"batches in its own way. Make it with `batch_size={batch_size!r}`"
        )
    if data.batch_size is None:
        raise TypeError(
            "`data` is a DataLoader that leaves batching to its data set or to a "
            "`batch_sampler`. Give that the batch size"
        )
    ordered = hasattr(data.dataset, "__getitem__")
    if batch_size == "full" and not ordered:
        raise TypeError(
            '`batch_size="full"` needs a data set with a length. Received a '
            "DataLoader of an iterable data set"
        )
    size = named_batch_size(batch_size, len(data.sampler) if ordered else None)
    options = {name: getattr(data, name) for name in KEPT}
    if not data.num_workers:
        options.pop("multiprocessing_context")
    order = {"sampler": data.sampler} if ordered else {}
    return size, kind(data.dataset, batch_size=size, **order, **options)


def _refusal(data: Any) -> str:
    if hasattr(data, "shape") or isinstance(data, (list, tuple, dict)):
        advice = "Arrays need no rebatching: see `resolve_batch_size`"
    else:
        advice = (
            "It may draw, augment or sort in its own batches, so others would not be "
            "the same samples. Give it the batch size where it is made"
        )
    return (
        "`data` must be a tf.data.Dataset or a DataLoader. Received: "
        f"{type(data).__module__}.{type(data).__qualname__}. {advice}."
    )
