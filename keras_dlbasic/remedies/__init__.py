"""Remedies: each takes a model and gives a new one."""

from keras_dlbasic.remedies.initialize import initialize
from keras_dlbasic.remedies.lsuv import lsuv
from keras_dlbasic.remedies.prune_units import prune_units

__all__ = ["initialize", "lsuv", "prune_units"]
