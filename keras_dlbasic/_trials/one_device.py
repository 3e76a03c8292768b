"""Whether a model is trained on one device."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._backends.processes import processes_of
from keras_dlbasic._backends.replicas import replicas_of


def refuse_several_devices(model: Any, what: str) -> None:
    """Refuse a model that is distributed.

    Trials take batches of any size, remainders too, which several devices cannot share,
    and copies of a model that know no strategy; times and batch sizes would not be
    those of one device.

    Args:
        model: A Keras model.
        what: Who refuses it, for the message.

    Raises:
        ValueError: If it is on several replicas of a TensorFlow strategy, or a
            distribution of Keras over several devices is set, or Keras would train it
            by DDP of PyTorch.
    """
    advice = (
        "Expected a model made outside of a strategy's scope, and no "
        "`keras.distribution`"
    )
    n = replicas_of(model)
    name = type(getattr(model, "distribute_strategy", None)).__name__
    if n == 1 and keras.backend.backend() == "jax":
        distribution = keras.distribution.distribution()
        if distribution is not None:
            n, name = distribution.device_mesh.devices.size, type(distribution).__name__
    if n == 1 and keras.backend.backend() == "torch":
        n, name = processes_of(model).count, "torch.distributed"
        advice = (
            "Run it before `torch.distributed.init_process_group`, or in a program of "
            "its own"
        )
    if n > 1:
        raise ValueError(
            f"{what} trains each model on one device. Received: a model over {n} "
            f"devices by `{name}`. {advice}; to use several devices, run trials in "
            "parallel with `run(executor)`, if available."
        )
