"""What is known of a model."""

from __future__ import annotations

from dataclasses import dataclass

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.records.json_facts import UNKNOWN, Facts

# of classes in records of before layers had kinds
_KINDS = {"Embedding": "embedding", "PReLU": "activation"}


@names_nearest
@dataclass(frozen=True, eq=False, repr=False)
class LayerFacts(Facts):
    """Facts about a layer before training.

    Attributes:
        label: Its name, unique in the model; for nested layers joined by `/`.
        class_name: Name of its class.
        kind: `"dense"`, `"convolution"`, `"recurrent"`, ..., or `"custom"` for a custom
            layer; None in records of older versions.
        activation: Name of its activation, `"custom"` for a custom one; None if it has
            none.
        units: Number of its units or filters; None if it has none.
        trainable: Whether it is trained.
        n_weights: Number of its weights.
        n_non_finite: Number of its weights that are NaN or infinite; None if not known.
        normalizes: Whether it normalizes its input.
        batch_normalizes: Whether it normalizes with batch statistics.
        scales: Whether it scales its input by constants.
        not_adapted: Whether it was to be adapted to data and was not, so that it gives
            its input as it is.
        is_recurrent: Whether it is recurrent.
        next_activation: Name of the activation that is applied to its output; None if
            there is none.
        dropout: Dropout rate; None if it is not a dropout layer.
        noise: Standard deviation of the normal noise that it adds in training; None if
            it adds none.
        momentum: Momentum of its moving averages; None if it has none.
        kernel_rms: Root mean square of its kernel; NaN if it has none.
        gain: `kernel_rms * sqrt(fan_in)`: 1.41 for He initialization, about 1 for
            Xavier; NaN if it has no kernel.
        fan_in: Number of inputs of a unit.
        fan_out: Number of units that an input is connected to.
        units_alike: Whether all units have the same kernel.
        kernel_shape: Shape of the kernel; None if it has none.
        penalty: Class name of the kernel's regularizer; None if it has none.
        constraint: Class name of the kernel's constraint; None if it has none.
        cell_activation: Name of the activation in the cell of a recurrent layer; None
            if it is not recurrent, or the cell is not known.
        dtype: Name of the dtype of its weights; None if not known.
        misreads: Label of an earlier layer whose units are on another axis than this
            layer assumes; None if there is none, or not known.
        is_normalized: Whether its output is normalized before the next kernel, so that
            the scale of its kernel does not matter.
        softmax_over_one: Whether its softmax is over a single entry, so that it is
            always 1.

    Example:
    >>> from keras_dlbasic.records import LayerFacts
    >>> layer = LayerFacts("hidden", "Dense", "dense", "relu", units=8, n_weights=40)
    >>> layer.label, layer.activation
    ('hidden', 'relu')
    """

    label: str = ""
    class_name: str = ""
    kind: str | None = None
    activation: str | None = None
    units: int | None = None
    trainable: bool = True
    n_weights: int = 0
    n_non_finite: int | None = None
    normalizes: bool = False
    batch_normalizes: bool = False
    scales: bool = False
    not_adapted: bool = False
    is_recurrent: bool = False
    next_activation: str | None = None
    dropout: float | None = None
    noise: float | None = None
    momentum: float | None = None
    kernel_rms: float = UNKNOWN
    gain: float = UNKNOWN
    fan_in: float = UNKNOWN
    fan_out: float = UNKNOWN
    units_alike: bool = False
    kernel_shape: tuple[int, ...] | None = None
    penalty: str | None = None
    constraint: str | None = None
    cell_activation: str | None = None
    dtype: str | None = None
    misreads: str | None = None
    softmax_over_one: bool = False
    is_normalized: bool = False

    @property
    def has_kernel(self) -> bool:
        """Whether the layer has a kernel with known scale."""
        return self.gain == self.gain

    # Rules ask for kinds. Names of classes are for what kinds do not say: records of
    # before layers had kinds, layers of the user's, and the ways to pool.

    @property
    def known_kind(self) -> str | None:
        """The kind; in older records derived from the class, if possible."""
        return self.kind or _KINDS.get(self.class_name)

    @property
    def looks_up(self) -> bool:
        """Whether it is an embedding (a custom layer: by its name)."""
        is_named = self.kind in (None, "custom") and "Embedding" in self.class_name
        return is_named or self.kind == "embedding"

    @property
    def takes_maximum(self) -> bool:
        """Whether it outputs the maximum of several values, as max pooling does."""
        return "Max" in self.class_name


@names_nearest
@dataclass(frozen=True, eq=False, repr=False)
class OutputFacts(Facts):
    """Facts about an output of a model.

    Attributes:
        name: Name of the layer or operation that computes it.
        activation: Name of its last activation; None if there is none (unlimited
            values), `"custom"` for a custom one, or `"unknown"`.
        units: Size of its last axis; None if not known.
        rank: Number of its axes, including the batch axis; None if not known.
        shape: Shape of the output for the probe rows, samples first; None if it was not
            computed.
        softmax_axis: Axis of the softmax, counted from the end; None if there is none,
            or it is not known.
        limited_before: A bounded activation directly before the last one, as in a
            softmax of a softmax; None if there is none, or not known.
        label: With several outputs: its name in losses, targets and logs; None if not
            known.
        judge: Label of a nested model that makes it, is compiled by itself and is
            trained along here; None if there is none, or it is not known.

    Example:
    >>> from keras_dlbasic.records import OutputFacts
    >>> OutputFacts("dense", "softmax", units=10, rank=2).units
    10
    """

    name: str | None = None
    activation: str | None = "unknown"
    units: int | None = None
    rank: int | None = None
    shape: tuple[int, ...] | None = None
    softmax_axis: int | None = None
    limited_before: str | None = None
    label: str | None = None
    judge: str | None = None

    @property
    def known_as(self) -> str | None:
        """The label, else the name."""
        return self.label or self.name


@names_nearest
@dataclass(frozen=True, eq=False, repr=False)
class ModelFacts(Facts):
    """Facts about a model before training.

    Attributes:
        layers: From input to output.
        outputs: In the order of `keras.tree.flatten`.
        n_weights: Number of weights; None if not known.
        n_trainable_weights: Number of trainable weights; None if not known.
        is_sequential: Whether it is a `Sequential` model.
        normalizes_inputs: Whether inputs are scaled before the first kernel.
        may_act_between_layers: Whether a custom `call` or operations outside layers may
            apply non-linear functions between layers; None if not known.
        seen_after: Number of training steps before these facts were read; None if they
            were read before the first. (A model that is built in its first step has no
            weights before.)
        why_not_rebuilt: Why remedies cannot rebuild the model with changes, as text;
            None if they can, or it is not known.
        n_resizable: Number of hidden layers whose number of units can be changed; None
            if not known.
        padding_reader: The recurrent layer that processes padding at the end, because
            there is no mask, or it is lost; None if there is none, or it is not known.
        makes_masks: Whether a layer computes a mask, so that Keras excludes padding
            from the loss; None if not known, as in subclassed models.
        mask_lost: The layer or operation that does not pass the mask of the padding on
            to `padding_reader`; None if there is no mask, or it is not lost.
        untracked: Where the layers are that the model uses but Keras does not find.
        unused: Which attributes are layers that the model never calls.
        uncalled: Which layers `call` names in a branch that it does not take.
        made_in_call: Which layers with weights the model makes anew at every call, and
            where.
        variables_in_call: Where it makes variables anew that are in no layer.
        exchanged_axes: Reshapes to the same axes in another order, which takes a
            transposition.

    Example:
    >>> from keras_dlbasic.records import LayerFacts, ModelFacts
    >>> model = ModelFacts(layers=(LayerFacts("dense", gain=1.4),))
    >>> ModelFacts.from_dict(model.to_dict()).layers[0].gain
    1.4
    """

    layers: tuple[LayerFacts, ...] = ()
    outputs: tuple[OutputFacts, ...] = ()
    n_weights: int | None = None
    n_trainable_weights: int | None = None
    is_sequential: bool = False
    normalizes_inputs: bool = False
    may_act_between_layers: bool | None = None
    seen_after: int | None = None
    why_not_rebuilt: str | None = None
    n_resizable: int | None = None
    padding_reader: str | None = None
    makes_masks: bool | None = None
    mask_lost: str | None = None
    untracked: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    uncalled: tuple[str, ...] = ()
    made_in_call: tuple[str, ...] = ()
    variables_in_call: tuple[str, ...] = ()
    exchanged_axes: tuple[str, ...] = ()
