"""The former place of `keras_dlbasic.inspection.Probe`."""

from keras_dlbasic.inspection.probe import Probe

__all__ = ["Probe"]
