"""Names that the guide showed here before they moved to `_keras.rebuild`."""

from keras_dlbasic._keras.rebuild import Chain, compile_like, rebuild, with_config

__all__ = ["Chain", "compile_like", "rebuild", "with_config"]
