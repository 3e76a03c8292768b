"""Ways to train whose gradients cannot be watched, and why."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._backends.processes import processes_of
from keras_dlbasic._backends.replicas import replicas_of
from keras_dlbasic._keras.optimizer import (
    built_for,
    innermost,
    is_several,
    optimizers_within,
)


def reason_not_to_watch(model: Any, *, is_refit: bool = False) -> str | None:
    """Say why the coming fit of `model` cannot be watched, or None if it can.

    Args:
        model: A compiled model in `fit`, before its first step.
        is_refit: Whether Keras goes on using the train function of an earlier fit.
    """
    backend = keras.backend.backend()
    several = _several_optimizers(model)
    if several is not None:
        return several
    if backend == "torch":
        return _torch_parts() or _torch_compile(model)
    if backend == "jax":
        return _nnx()
    return _replicas(model) or (_stale_step(model) if is_refit else None)


def watches_stale_step(model: Any) -> bool:
    """Return whether a watched step of an earlier fit trains what is frozen by now.

    It was traced when Keras' own was, or in its place: to go on with it is to go on
    with what Keras trains.
    """
    tapped = getattr(vars(model).get("train_function"), "keras_dlbasic_tapped", None)
    return tapped is not None and tapped.has_updated and _has_changed(model)


def draws_in_plain_step(operation: str) -> str:
    """Say why a fit is not watched whose plain step has drawn random numbers before.

    Args:
        operation: The TensorFlow operation that draws them.
    """
    return (
        f"the model draws by TensorFlow's operation {operation}, whose random state "
        "is in the compiled step. An earlier fit without this callback has changed "
        "this state, and a watched step cannot continue it, so the training would "
        "change. Use `keras.random` with a `keras.random.SeedGenerator`, for example "
        "`keras.random.normal(shape, seed=self.seed_generator)`, or pass this "
        "callback to all fits after `model.compile(...)`"
    )


def _several_optimizers(model: Any) -> str | None:
    """Say what a `MultiOptimizer` does that is not measured, None if nothing."""
    optimizer = getattr(model, "optimizer", None)
    if not is_several(optimizer):
        return None
    for inner in optimizers_within(innermost(optimizer)):
        if steps := getattr(inner, "gradient_accumulation_steps", None):
            return (
                f"an optimizer of `MultiOptimizer`, {type(inner).__name__}, "
                f"accumulates gradients (`gradient_accumulation_steps={steps}`): its "
                "variables are updated at other steps than the rest. Leave that out, "
                "or compile the model with one optimizer"
            )
    if replicas_of(model) > 1:
        return (
            "the model has several optimizers (`MultiOptimizer`) on several replicas, "
            "each of which clips by itself. Compile the model with one optimizer, or "
            "train on one device"
        )
    return None


def _torch_parts() -> str | None:
    distribution = keras.distribution.distribution()
    if type(distribution).__name__ != "ModelParallel":
        return None
    return (
        "the weights are sharded across processes by `ModelParallel`, which is not "
        "tested on PyTorch. Use `keras.distribution.DataParallel`, or watch a run on "
        "one device"
    )


def _torch_compile(model: Any) -> str | None:
    if not model.jit_compile:
        return None
    return (
        "the model was compiled with `jit_compile=True`, and `torch.compile` would "
        "fuse the watched step otherwise than the plain one, which changes what is "
        "trained. "
        "Use `model.compile(..., jit_compile=False)`, the default on PyTorch"
    )


def _nnx() -> str | None:
    is_enabled = getattr(keras.config, "is_nnx_enabled", None)
    if is_enabled is None or not is_enabled():
        return None
    return (
        "Keras runs with NNX (KERAS_NNX_ENABLED), which compiles the step of the "
        "model's class and not of the model. Unset KERAS_NNX_ENABLED"
    )


CHECKED = ("MirroredStrategy", "OneDeviceStrategy", "_DefaultDistributionStrategy")
"""Classes of strategies on which gradients were checked."""


def _replicas(model: Any) -> str | None:
    strategy = getattr(model, "distribute_strategy", None)
    name, replicas = type(strategy).__name__, replicas_of(model)
    name = name.replace("CollectiveAllReduce", "MultiWorkerMirrored")  # its public name
    is_alone = name == "MultiWorkerMirroredStrategy" and replicas == 1
    if strategy is not None and name not in CHECKED and not is_alone:
        workers = processes_of(model).count
        if workers > 1:
            return (
                f"the model is distributed over {workers} workers by {name}. Keras "
                f"{keras.__version__} itself cannot train this way: it fails before "
                "or in the first step. Use `tf.distribute.MirroredStrategy` on one "
                "machine, or JAX with `keras.distribution.DataParallel` on several"
            )
        return (
            f"the model is distributed over {replicas} replica{'s' * (replicas != 1)} "
            f"by {name}, for which the gradients were not tested. Use "
            "`tf.distribute.MirroredStrategy`, or watch a run on one device"
        )
    if replicas == 1:
        return None
    obstacle = _refused_by_keras(model)
    if obstacle is None:
        return None
    return (
        f"Keras {keras.__version__} cannot train with {obstacle} on several replicas: "
        "it fails in the first step, with or without this callback. Leave that out, or "
        "train on one device"
    )


def _refused_by_keras(model: Any) -> str | None:
    """Name what makes a step on replicas synchronize where TensorFlow forbids it."""
    optimizer = model.optimizer
    if model.steps_per_execution > 1:
        return f"`steps_per_execution={model.steps_per_execution}`"
    if model.jit_compile:
        return "`jit_compile=True`"
    if getattr(optimizer, "gradient_accumulation_steps", None):
        steps = optimizer.gradient_accumulation_steps
        return f"`gradient_accumulation_steps={steps}`"
    if getattr(optimizer, "ema_overwrite_frequency", None):
        return f"`ema_overwrite_frequency={optimizer.ema_overwrite_frequency}`"
    return None


def _stale_step(model: Any) -> str | None:
    """Return whether TensorFlow's compiled step trains what is frozen by now.

    A train function from an earlier fit goes on training what was trainable when it was
    traced, also if layers were frozen since without `compile`.
    """
    if not _has_changed(model) or watches_stale_step(model):
        return None
    built = built_for(model.optimizer) or []
    return (
        "layers were frozen or unfrozen since the last fit without a new "
        f"`model.compile(...)`, so Keras goes on training the {len(built)} variables "
        f"that it compiled for, not the {len(model.trainable_variables)} in "
        "`model.trainable_variables`. Call `model.compile(...)` after changing "
        "`trainable`"
    )


def _has_changed(model: Any) -> bool:
    """Return whether other variables are trainable than the optimizer was built for."""
    built = built_for(model.optimizer)
    trainable = {id(v) for v in model.trainable_variables}
    return built is not None and {id(v) for v in built} not in (set(), trainable)
