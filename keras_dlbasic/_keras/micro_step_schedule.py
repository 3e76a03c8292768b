"""Learning-rate schedules under gradient accumulation."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="keras_dlbasic")
class MicroStepSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that counts updates where Keras counts micro-steps.

    Under `gradient_accumulation_steps=n` Keras asks a schedule for the learning rate of
    micro-step `n * k + n - 1` when it makes update `k`; this one answers with what
    `schedule` says of update `k`.

    Args:
        schedule: A `keras.optimizers.schedules.LearningRateSchedule`.
        micro_steps: Micro-steps per update.

    Example:
    >>> import keras
    >>> from keras_dlbasic._keras.micro_step_schedule import MicroStepSchedule
    >>> inner = keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.5, 0.25])
    >>> schedule = MicroStepSchedule(inner, 10)
    >>> [float(schedule(step)) for step in (9, 19, 29)]
    [0.5, 0.5, 0.25]
    """

    def __init__(self, schedule: Any, micro_steps: int) -> None:
        super().__init__()
        self.schedule = schedule
        self.micro_steps = micro_steps

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of the update that `step` belongs to."""
        return self.schedule(keras.ops.floor_divide(step, self.micro_steps))

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs."""
        inner = keras.saving.serialize_keras_object(self.schedule)
        return {"schedule": inner, "micro_steps": self.micro_steps}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MicroStepSchedule:
        """Make a schedule from its configuration."""
        inner = keras.saving.deserialize_keras_object(config["schedule"])
        return cls(inner, config["micro_steps"])
