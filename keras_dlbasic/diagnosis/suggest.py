"""The suggestions that rules make, named by what is suggested.

Each gives a `RemedySuggestion` of a remedy, with its arguments, the reason and how to
do the same by hand. The remedies themselves are in `keras_dlbasic.remedies`.
"""

from __future__ import annotations

import math
from typing import Any

from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion


def lower_learning_rate(reason: str, factor: float = 0.1) -> RemedySuggestion:
    """Suggest a smaller learning rate."""
    return RemedySuggestion(
        "change_learning_rate",
        reason,
        f"model.optimizer.learning_rate = {factor:g} * model.optimizer.learning_rate",
        {"factor": factor},
    )


def raise_learning_rate(reason: str, factor: float = 10.0) -> RemedySuggestion:
    """Suggest a larger learning rate."""
    return lower_learning_rate(reason, factor)


def learning_rate(reason: str, rate: float) -> RemedySuggestion:
    """Suggest a learning rate that stays as it is."""
    return RemedySuggestion(
        "change_learning_rate",
        reason,
        f"model.optimizer.learning_rate = {rate:g}",
        {"learning_rate": rate},
    )


def range_test(reason: str) -> RemedySuggestion:
    """Suggest a learning rate from a short range test."""
    return RemedySuggestion(
        "find_learning_rate", reason, "try learning rates a factor of 3 apart"
    )


def gradient_clipping(reason: str, norm: float = 1.0) -> RemedySuggestion:
    """Suggest clipping by the global norm."""
    return RemedySuggestion(
        "clip_gradients",
        reason,
        f"keras.optimizers.Adam(global_clipnorm={norm:g})",
        {"global_clipnorm": norm},
    )


def optimizer(reason: str, name: str = "adam") -> RemedySuggestion:
    """Suggest another optimizer."""
    return RemedySuggestion(
        "change_optimizer",
        reason,
        f'model.compile(optimizer="{name}", ...)',
        {"optimizer": name},
    )


def activations(
    reason: str,
    activation: str = "relu",
    *,
    linear_too: bool = False,
    initialize: bool = False,
) -> RemedySuggestion:
    """Suggest another activation in the hidden layers."""
    kwargs: dict[str, Any] = {"activation": activation}
    if linear_too:
        kwargs["linear_too"] = True
    code = f'keras.layers.Dense(units, "{activation}")'
    if initialize:
        kwargs["initialize"] = True
        code = code.removesuffix(")") + ', kernel_initializer="he_normal")'
    return RemedySuggestion("swap_activations", reason, code, kwargs)


def new_weights(reason: str, *, zero_biases: bool = False) -> RemedySuggestion:
    """Suggest initial weights by the activation that follows."""
    code = 'kernel_initializer="he_normal" before rectifiers, else "glorot_uniform"'
    if not zero_biases:
        return RemedySuggestion("initialize", reason, code)
    code += ', bias_initializer="zeros"'
    return RemedySuggestion("initialize", reason, code, {"zero_biases": True})


def normalization(reason: str, kind: str = "batch") -> RemedySuggestion:
    """Suggest normalization before the activations."""
    layer = {"batch": "BatchNormalization", "layer": "LayerNormalization"}[kind]
    return RemedySuggestion(
        "insert_normalization",
        reason,
        f"keras.layers.{layer}() before each activation",
        {"kind": kind},
    )


def output(
    reason: str, activation: str | None, loss: str | None, **kwargs: Any
) -> RemedySuggestion:
    """Suggest an output activation and a loss that fit the targets."""
    given = {k: v for k, v in {"activation": activation, "loss": loss}.items() if v}
    parts = [f"output activation {activation!r}"] if activation else []
    parts += [f"{kwargs['units']} output units"] if "units" in kwargs else []
    parts += [f"loss {loss!r}"] if loss else []
    code = " with ".join(parts)
    return RemedySuggestion("fix_output", reason, code, {**given, **kwargs})


def scaled_inputs(reason: str) -> RemedySuggestion:
    """Suggest a normalization of the inputs that the model carries."""
    return RemedySuggestion(
        "scale_inputs",
        reason,
        "norm = keras.layers.Normalization(); norm.adapt(x); use it as first layer",
        needs=("x",),
    )


def scaled_targets(reason: str) -> RemedySuggestion:
    """Suggest targets of unit size."""
    return RemedySuggestion(
        "scale_targets",
        reason,
        "y = (y - y.mean(axis=0)) / y.std(axis=0)",
        needs=("y",),
    )


def batch_size(reason: str, batch_size: int) -> RemedySuggestion:
    """Suggest a batch size."""
    return RemedySuggestion(
        "change_batch_size",
        reason,
        f"model.fit(..., batch_size={batch_size})",
        {"batch_size": batch_size},
    )


def more_epochs(
    reason: str, factor: float = 3.0, *, epochs: Any = None
) -> RemedySuggestion:
    """Suggest more epochs than the run had, if that is known."""
    kwargs: dict[str, Any] = {"factor": factor}
    if isinstance(epochs, int):
        kwargs["epochs"] = math.ceil(factor * epochs)
    return RemedySuggestion(
        "train_longer", reason, f"{factor:g} times the epochs", kwargs
    )


def early_stopping(reason: str) -> RemedySuggestion:
    """Suggest stopping at the best epoch."""
    return RemedySuggestion(
        "stop_early",
        reason,
        "keras.callbacks.EarlyStopping(patience=10, restore_best_weights=True)",
    )


def penalty(reason: str, l2: float = 1e-4) -> RemedySuggestion:
    """Suggest a penalty on the weights."""
    return RemedySuggestion(
        "add_penalty",
        reason,
        f"kernel_regularizer=kd.regularizers.L2({l2:g})",
        {"l2": l2},
    )


def momentum(reason: str, value: float) -> RemedySuggestion:
    """Suggest moving statistics that follow sooner."""
    return RemedySuggestion(
        "change_momentum",
        reason,
        f"keras.layers.BatchNormalization(momentum={value:g})",
        {"momentum": value},
    )


def no_penalty(reason: str) -> RemedySuggestion:
    """Suggest to do without penalties, and with less dropout."""
    return RemedySuggestion(
        "remove_penalty", reason, "kernel_regularizer=kd.regularizers.L2(1e-4)"
    )


def dropout(reason: str, rate: float) -> RemedySuggestion:
    """Suggest dropout."""
    return RemedySuggestion(
        "add_dropout",
        reason,
        f"keras.layers.Dropout({rate:g}) after hidden layers",
        {"rate": rate},
    )


def less_dropout(reason: str, factor: float = 0.25) -> RemedySuggestion:
    """Suggest a lower rate of dropout."""
    return RemedySuggestion(
        "remove_penalty",
        reason,
        "keras.layers.Dropout(0.2)",
        {"dropout_factor": factor},
    )


def augmentation(reason: str) -> RemedySuggestion:
    """Suggest images that are shifted, rotated and zoomed at random."""
    return RemedySuggestion(
        "augment_images", reason, "augmentation layers, such as RandomFlip"
    )


def smaller_model(reason: str, factor: float = 0.5) -> RemedySuggestion:
    """Suggest a smaller model."""
    return RemedySuggestion(
        "resize", reason, "fewer units or layers", {"width_factor": factor}
    )


def larger_model(reason: str, factor: float = 2.0) -> RemedySuggestion:
    """Suggest a larger model."""
    return RemedySuggestion(
        "resize", reason, "more units or layers", {"width_factor": factor}
    )


def by_hand(what: str, reason: str) -> RemedySuggestion:
    """Suggest what only the user can do."""
    return RemedySuggestion(None, reason, what)


def check_rows(reason: str) -> RemedySuggestion:
    """Suggest to look whether inputs and targets belong together."""
    return by_hand("look at ten rows of `x` with their rows of `y`", reason)
