"""Learning-rate schedules under gradient accumulation.

The class is defined where it can be imported without the studies: a saved model may
need it.
"""

from keras_dlbasic._keras.micro_step_schedule import MicroStepSchedule

__all__ = ["MicroStepSchedule"]
