"""What those who write remedies need: a model made anew with some layers changed.

- `Chain`: what stands in the place of a layer
- `compile_like`: compile a model like another one
- `rebuild`: return a model like another one, with changed layers
- `with_config`: return a layer like another one, with changes in its configuration
"""

from keras_dlbasic._keras.rebuild import Chain, compile_like, rebuild, with_config

__all__ = ["Chain", "compile_like", "rebuild", "with_config"]
