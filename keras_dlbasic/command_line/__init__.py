"""The command `keras-dlbasic`."""

from keras_dlbasic.command_line.entry import main

__all__ = ["main"]
