"""One table of Keras' layers: what each class is, and what it does to a signal.

All that treats kinds of layers differently asks this table: remedies, facts, probes,
monitors and studies. A test goes through `keras.layers` and fails for a class that has
no row here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import keras

Kind = Literal[
    "activation",
    "attention",
    "convolution",
    "custom",
    "dense",
    "dropout",
    "embedding",
    "foreign",
    "identity",
    "input",
    "masking",
    "merging",
    "model",
    "noise",
    "normalization",
    "pooling",
    "preprocessing",
    "recurrent",
    "reshaping",
    "scaling",
    "wrapper",
]


@dataclass(frozen=True)
class LayerKind:
    """What is known of a class of layers.

    Attributes:
        kind: `"custom"` for classes that are not Keras', `"foreign"` for functions and
            models of other frameworks, `"scaling"` for what brings inputs to size.
        passes: `"units"`: in inference, each unit (entry of the last axis) goes on by
            itself, and a constant stays that constant. `"signal"`: units go on
            rearranged, or brought to another size. None: neither.
        fans: How `kernel_fans` reads its kernels; None if it has none of its own.
        activation: The activation that the layer is, None if it is none or any.
        in_training: Whether it can do something else in training than in inference.
        state: What it keeps besides weights: `"averages"` of batches, the `"seed"` of a
            generator, `"vectors"` of a power iteration, the state of a `"sequence"`, or
            what was `"adapted"` to data.
        places: For how many axes of places, such as steps or pixels, the class is made;
            None if for any number.
    """

    kind: Kind
    passes: Literal["units", "signal"] | None = None
    fans: str | None = None
    activation: str | None = None
    in_training: bool = False
    state: str | None = None
    places: int | None = None


KERNELS: tuple[Kind, ...] = ("dense", "convolution")
"""Kinds with a kernel, and perhaps an activation behind it."""

HIDDEN: tuple[Kind, ...] = (*KERNELS, "recurrent", "attention")
"""Kinds that transform the signal by weights: a model without any has no depth."""

SIZES = ("units", "filters", "output_dim")
"""Names of the arguments that set how many units a layer has."""


def kind_of(layer: Any) -> LayerKind:
    """Return what is known of a layer or operation; of wrappers, what they wrap.

    Example:
    >>> import keras
    >>> from keras_dlbasic._keras.layer_kinds import kind_of
    >>> kind_of(keras.layers.TimeDistributed(keras.layers.Dense(2))).kind
    'dense'
    """
    return class_kind(type(core_of(layer)))


def class_kind(layer_class: type) -> LayerKind:
    """Return the row of a class, or of the nearest class that it inherits from."""
    for base in layer_class.__mro__:
        # By name, since not every supported Keras has every class, and the cells of
        # convolutional LSTMs are not public. So operations of the same name, such as
        # `Multiply` for `a * b`, are found as well.
        place = base.__module__.split(".")
        # not what a backend mixes into each layer: that of JAX is called `JaxLayer`
        is_mixed_in = "backend" in place
        if place[0] == "keras" and base.__name__ in _TABLE and not is_mixed_in:
            return _TABLE[base.__name__]
        if base in _REGISTERED:
            return _REGISTERED[base]
    return LayerKind("custom")


def core_of(layer: Any) -> Any:
    """Return the layer that wrappers are about; a layer that wraps none is its own.

    `Bidirectional` is no wrapper in this sense: it has two layers.
    """
    while isinstance(layer, keras.layers.Wrapper):
        layer = layer.layer
    return layer


def first_cell(layer: Any) -> Any:
    """Return the cell of a recurrent layer that gets its inputs."""
    layer = core_of(layer)
    layer = getattr(layer, "forward_layer", layer)
    cell = getattr(layer, "cell", layer)
    return getattr(cell, "cells", [cell])[0]


def register_kind(layer_class: type, kind: LayerKind) -> None:
    """Add a row for a class of this package."""
    _REGISTERED[layer_class] = kind


def is_product(operation: Any) -> bool:
    """Return whether an operation or layer multiplies its inputs, as gates do."""
    return type(operation).__name__ == "Multiply"


_REGISTERED: dict[type, LayerKind] = {}
_TABLE: dict[str, LayerKind] = {}


def _add(names: str, kind: LayerKind, *, ranks: str = "") -> None:
    """Add a row for each name, with each rank behind it or where it has a dash."""
    for name in names.split():
        stem, _, end = name.partition("-")
        for rank in ranks:
            _TABLE[f"{stem}{rank}D{end}"] = replace(kind, places=int(rank))
        if not ranks:
            _TABLE[name] = kind


# The signal is transformed by weights.
_convolution = LayerKind("convolution", fans="convolution")
_recurrent = LayerKind("recurrent", in_training=True, state="sequence")
_add("Dense TernaryDense", LayerKind("dense", fans="dense"))
_add("EinsumDense", LayerKind("dense", fans="einsum"))
_add("Conv", _convolution, ranks="123")
_add("Conv-Transpose", replace(_convolution, fans="transposed"), ranks="123")
_add("DepthwiseConv", replace(_convolution, fans="depthwise"), ranks="12")
_add("SeparableConv", replace(_convolution, fans="separable"), ranks="12")
_add("Embedding ReversibleEmbedding", LayerKind("embedding", fans="embedding"))
_add("RNN SimpleRNN GRU LSTM Bidirectional StackedRNNCells", _recurrent)
_add("ConvLSTM", _recurrent, ranks="123")
_add("SimpleRNNCell", replace(_recurrent, fans="one gate"))
_add("GRUCell", replace(_recurrent, fans="three gates"))
_add("LSTMCell ConvLSTMCell", replace(_recurrent, fans="four gates"))
_add(
    "MultiHeadAttention GroupedQueryAttention Attention AdditiveAttention",
    LayerKind("attention", in_training=True, state="seed"),
)

# The signal is brought to size, cut off or disturbed.
_normalization = LayerKind("normalization", passes="signal")
_dropout = LayerKind("dropout", passes="units", in_training=True, state="seed")
_add("BatchNormalization", replace(_normalization, in_training=True, state="averages"))
_add("LayerNormalization GroupNormalization", _normalization)
_add("RMSNormalization UnitNormalization", _normalization)
_add("Activation", LayerKind("activation"))
_add("ReLU", LayerKind("activation", activation="relu"))
_add("LeakyReLU PReLU", LayerKind("activation", activation="leaky_relu"))
_add("ELU", LayerKind("activation", activation="elu"))
_add("Softmax", LayerKind("activation", activation="softmax"))
_add("Dropout AlphaDropout GaussianDropout", _dropout)
_add("SpatialDropout", _dropout, ranks="123")
_add("GaussianNoise", replace(_dropout, kind="noise"))
_add("Identity ActivityRegularization", LayerKind("identity", passes="units"))

# The signal goes to other places.
_pooling = LayerKind("pooling", passes="units")
_add("MaxPooling AveragePooling", _pooling, ranks="123")
_add("GlobalMaxPooling GlobalAveragePooling", _pooling, ranks="123")
_add("AdaptiveMaxPooling AdaptiveAveragePooling", _pooling, ranks="123")
_add("UpSampling Cropping ZeroPadding", LayerKind("reshaping", "units"), ranks="123")
_add("Flatten RepeatVector", LayerKind("reshaping", passes="units"))
_add("Reshape Permute", LayerKind("reshaping", passes="signal"))
_add("Masking", LayerKind("masking", passes="signal"))
_add("Add Subtract Multiply Average Maximum Minimum", LayerKind("merging"))
_add("Concatenate Dot", LayerKind("merging"))

# What comes first, and what is known by what it holds only.
_add("InputLayer", LayerKind("input"))
_add("Rescaling", LayerKind("scaling"))
_add("Normalization", LayerKind("scaling", state="adapted"))
_add("Discretization", LayerKind("preprocessing", state="adapted"))
_add(
    "StringLookup IntegerLookup TextVectorization",
    LayerKind("preprocessing", state="adapted"),
)
_add(
    "CategoryEncoding Hashing HashedCrossing MelSpectrogram STFTSpectrogram "
    "Resizing CenterCrop AutoContrast MaxNumBoundingBoxes "
    "ContrastLimitedAdaptiveHistogramEqualization",
    LayerKind("preprocessing"),
)
_add(
    "AugMix CutMix MixUp Mosaic RandAugment RandomBrightness RandomColorDegeneration "
    "RandomColorJitter RandomContrast RandomCrop RandomElasticTransform RandomErasing "
    "RandomFlip RandomGaussianBlur RandomGrayscale RandomHue RandomInvert "
    "RandomPerspective RandomPosterization RandomRotation RandomSaturation "
    "RandomSharpness RandomShear RandomTranslation RandomZoom Solarization "
    "Equalization Pipeline",
    LayerKind("preprocessing", in_training=True, state="seed"),
)
_add("Wrapper TimeDistributed", LayerKind("wrapper"))
_add(
    "SpectralNormalization",
    LayerKind("wrapper", in_training=True, state="vectors"),
)
_add("Lambda TFSMLayer JaxLayer FlaxLayer TorchModuleWrapper", LayerKind("foreign"))
_add("Model Functional Sequential", LayerKind("model"))
