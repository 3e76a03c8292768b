"""Full-batch gradient descent on data that does not fit into memory at once."""

from __future__ import annotations

import sys
import warnings
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras
import numpy as np

from keras_dlbasic._backends.replicas import replicas_of
from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic._keras.known_names import optimizer_of
from keras_dlbasic._keras.layer_kinds import class_kind
from keras_dlbasic._keras.micro_step_schedule import MicroStepSchedule
from keras_dlbasic._keras.optimizer import schedule_of
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.studies.batch_size.micro_batches import MicroBatches

PER_SAMPLE = ("sum_over_batch_size", "mean")

SKIPS = (
    "`LossScaleOptimizer`, which Keras puts around the optimizer under mixed_float16, "
    "skips micro-steps whose gradients overflow, so an epoch would no longer be one "
    "update",
    "Train in float32 or bfloat16, or set `loss_scale_factor` on the optimizer, "
    "compile with `auto_scale_loss=False` and pass `model=`",
)

UNSEEN = (
    "`full_batch` was not given the model, so it cannot tell whether micro-batches "
    "give the exact gradient: masks, activity regularizers and losses that are no mean "
    "over samples go unseen. Received: model=None. Pass the compiled model, "
    "`full_batch(x, y, optimizer, model=model)`, or ask `check_full_batch(model)`."
)


@names_nearest
def full_batch(
    x: Any,
    y: Any,
    optimizer: Any,
    *,
    sample_weight: Any = None,
    micro_batch: int = 256,
    model: Any = None,
) -> tuple[MicroBatches, Any]:
    """Make one epoch exactly one update with the gradient of the whole data set.

    Compile the model, pass it as `model` to have it checked, and compile it again with
    the returned optimizer. Up to rounding, `model.fit(dataset, epochs=...)` is then
    equivalent to `model.fit(x, y, batch_size=len(x))`, but it needs memory for a few
    micro-batches only. This holds for losses that are a mean over samples, also with
    sample weights and weight penalties. Layers with random numbers draw new ones for
    each micro-batch.

    The logged `loss` is exact. Plain `metrics` include the few rows that pad the last
    micro-batch; `weighted_metrics` do not.

    Args:
        x: Inputs: an array or a list, tuple or dict of arrays. Use `numpy.memmap` or
            HDF5 for data that do not fit into memory.
        y: Targets, likewise.
        optimizer: A Keras optimizer, or its name. It is not changed. A learning-rate
            schedule is converted, so that it counts updates.
        sample_weight: Weights of the samples. Defaults to None. Include class weights
            here, because Keras accepts only one of the two.
        micro_batch: Maximum number of rows per forward pass. Defaults to 256.
        model: The compiled model that will be trained, to have it checked (see
            `check_full_batch`). Defaults to None: only batch normalization and
            constraints are detected, at the start of `fit`, and a warning says so.

    Returns:
        The data set, and a copy of the optimizer with `gradient_accumulation_steps`.

    Raises:
        ValueError: If the result would not be exact, with the reason.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> x, y = np.ones((1000, 4), "float32"), np.ones((1000, 1), "float32")
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> data, optimizer = kd.studies.full_batch(x, y, model.optimizer, model=model)
    >>> model.compile(optimizer=optimizer, loss="mse")
    >>> history = model.fit(data, epochs=2, verbose=0)
    >>> len(data), int(optimizer.iterations)  # micro-batches, updates
    (4, 2)
    """
    if model is not None:
        check_full_batch(model)
    dataset = MicroBatches(x, y, sample_weight=sample_weight, micro_batch=micro_batch)
    own = accumulating(optimizer, dataset.micro_steps)
    if model is None and dataset.micro_steps > 1:
        warnings.warn(UNSEEN, stacklevel=2)
        _check_when_built(own)
    return dataset, own


def accumulating(optimizer: Any, micro_steps: int) -> Any:
    """Return a copy of `optimizer` that updates at every `micro_steps`-th step.

    Raises:
        ValueError: If such a copy would not do what the optimizer does.
    """
    optimizer = optimizer_of(optimizer)
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        _refuse(*SKIPS)
    schedule = schedule_of(optimizer)
    is_known = isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule)
    if schedule is not None and not is_known:
        _refuse(
            "the learning rate is a plain function, which Keras calls at every "
            "micro-step",
            "Use a number or a `keras.optimizers.schedules.LearningRateSchedule`",
        )
    config = optimizer.get_config()
    if "gradient_accumulation_steps" not in config:
        _refuse(
            f"{type(optimizer).__name__} does not support gradient accumulation",
            "Use one of the optimizers of `keras.optimizers`",
        )
    if config["gradient_accumulation_steps"]:
        _refuse(
            "the optimizer accumulates gradients already "
            f"(gradient_accumulation_steps={config['gradient_accumulation_steps']})",
            "Pass one without `gradient_accumulation_steps`",
        )
    if config.get("use_ema"):
        _refuse(
            "Keras counts micro-steps, not updates, for the moving average of weights "
            "(use_ema=True)",
            "Pass an optimizer without `use_ema`",
        )
    if micro_steps == 1:
        return type(optimizer).from_config(config)
    config["gradient_accumulation_steps"] = micro_steps
    # Keras' `iterations` counts micro-steps, which would run through a schedule too
    # soon.
    if is_known:
        config["learning_rate"] = MicroStepSchedule(schedule, micro_steps)
    return type(optimizer).from_config(config)


def _check_when_built(optimizer: Any) -> None:
    """Look at the variables of a model that is not known: all that Keras hands over."""
    # Without the model nothing can be looked at before `fit` has Keras build the
    # optimizer. It is handed the weights then, so the check waits there.
    build = optimizer.build

    def checked(variables: Any) -> None:
        variables = list(variables)
        for variable in variables:
            if "batch_normalization" in variable.path:
                _refuse(
                    f"{variable.path!r} belongs to batch normalization, which uses the "
                    "mean and variance of the batch and sees one micro-batch at a time",
                    "Use `batch_size=len(x)` instead; if it does not, pass `model=` to "
                    "have the model itself checked",
                )
        _check_constraints(variables)
        if keras.config.dtype_policy().name == "mixed_float16":
            _refuse(*SKIPS)
        del optimizer.build
        build(variables)

    optimizer.build = checked


def check_full_batch(model: Any) -> None:
    """Refuse a model for which accumulated micro-batches are not the full batch.

    Args:
        model: A compiled model.

    Raises:
        ValueError: If it has batch normalization or other layers that look at the batch
            as a whole, masks, activity regularizers, a loss that is no mean over
            samples, constraints that its weights do not satisfy, a loss scale that
            changes (mixed_float16), or several replicas.
    """
    _check_replicas(model)
    for layer in all_layers(model):
        reason = _layer_reason(layer)
        if reason:
            _refuse(f"layer {layer.name!r} {reason}", "Use `batch_size=len(x)` instead")
    for loss in _losses(model):
        reason = _loss_reason(loss)
        if reason:
            _refuse(reason, "Use a loss with reduction='sum_over_batch_size'")
    if isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer):
        _refuse(*SKIPS)
    _check_constraints(model.trainable_variables)


def _check_replicas(model: Any) -> None:
    replicas = replicas_of(model)
    if replicas > 1:
        name = type(model.distribute_strategy).__name__
        _refuse(
            f"the model is on {replicas} replicas of `{name}`, where Keras cannot "
            "accumulate gradients",
            "Use `batch_size=len(x)` instead, or one device",
        )


def _check_constraints(variables: Any) -> None:
    for variable in variables:
        if variable.constraint is not None and _is_moved(variable):
            _refuse(
                f"the constraint of {variable.path!r} moves the weights at every "
                "micro-step, while gradients are still being collected",
                "Apply the constraint to the weights once before training",
            )


def _layer_reason(layer: Any) -> str | None:
    kind = class_kind(type(layer))
    if kind.state in ("averages", "vectors"):
        if not layer.trainable:
            return None
        return (
            "sees one micro-batch at a time: batch normalization uses the mean and "
            "variance of the batch, so the gradient would differ"
            if kind.state == "averages"
            else "changes its state at every micro-step"
        )
    if kind.state == "sequence" and getattr(layer, "stateful", False):
        return "carries its state from one micro-batch into the next"
    if kind.kind == "masking" or getattr(layer, "mask_zero", False):
        return (
            "masks: Keras divides the loss of a batch by its number of unmasked "
            "places, which differs between micro-batches"
        )
    if getattr(layer, "activity_regularizer", None) is not None:
        return (
            "has an activity regularizer, whose value depends on the number of rows "
            "that go through the model at once"
        )
    return None


def _losses(model: Any) -> list[Any]:
    loss = getattr(model, "loss", None)
    if loss is None:
        return []
    parts = loss.values() if isinstance(loss, dict) else loss
    return list(parts) if isinstance(loss, (dict, list, tuple)) else [loss]


def _loss_reason(loss: Any) -> str | None:
    name = loss if isinstance(loss, str) else getattr(loss, "name", None)
    name = name or getattr(loss, "__name__", type(loss).__name__)
    if str(name).lower() in ("dice", "tversky"):
        return f"the loss {name!r} is one value for the whole batch, no mean"
    reduction = getattr(loss, "reduction", PER_SAMPLE[0])
    if reduction not in PER_SAMPLE:
        return (
            f"the loss {name!r} has reduction={reduction!r}, which is no mean over "
            "the samples of the batch"
        )
    return None


def _is_moved(variable: Any) -> bool:
    if getattr(variable.constraint, "rate", 1.0) != 1.0:
        return True
    # Between updates the weights stay as they are, and a constraint that they meet does
    # not move them. One with a rate goes only a part of the way at each call, so it
    # moves them in any case.
    with _outside_of_graphs():
        value = keras.ops.convert_to_numpy(variable.value)
        after = keras.ops.convert_to_numpy(variable.constraint(variable.value))
    return not np.allclose(after, value, rtol=1e-5, atol=1e-7)


def _outside_of_graphs() -> AbstractContextManager[Any]:
    if keras.backend.backend() != "tensorflow":
        return nullcontext()
    # TensorFlow builds optimizers amid tracing a step
    tensorflow: Any = sys.modules["tensorflow"]
    return tensorflow.init_scope()


def _refuse(reason: str, advice: str) -> None:
    raise ValueError(f"Full-batch would not be exact: {reason}. {advice}.")
