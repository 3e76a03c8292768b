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
    """What is known of a layer before training.

    Attributes:
        label: Its name, unique in the model; parts of nested ones are joined by `/`.
        class_name: Name of its class.
        kind: What it is for: `"dense"`, `"convolution"`, `"recurrent"`, ...,
            `"custom"` for one of the user's; None in records of older versions.
        activation: Name of its activation, `"custom"` for one of the user's; None if
            it has none.
        units: Number of its units or filters; None if it has none.
        trainable: Whether it is trained.
        n_weights: Number of its weights.
        n_non_finite: Number of its weights that are NaN or infinite; None if not known.
        normalizes: Whether it normalizes what it is given.
        batch_normalizes: Whether it normalizes by the statistics of batches.
        scales: Whether it scales what it is given by fixed numbers.
        is_recurrent: Whether it is recurrent.
        next_activation: Name of the activation that its output goes through; None if
            there is none.
        dropout: Rate of dropout; None if it does not drop anything.
        momentum: Momentum of its moving averages; None if it has none.
        kernel_rms: Root mean square of its kernel; NaN if it has none.
        gain: The same times the root of `fan_in`: 1.41 by He's law, about 1 by
            Xavier's; NaN if it has no kernel.
        fan_in: Number of inputs of a unit.
        fan_out: Number of outputs of an input.
        units_alike: Whether all units have the same kernel.
        kernel_shape: Shape of the kernel; None if it has none.
        penalty: Class of the kernel's regularizer; None if it has none.
        cell_activation: Name of the activation of a recurrent layer's new values; None
            if it is not recurrent, or the cell is not known.
        dtype: Name of the dtype of its weights; None if not known.
        misreads: Label of a layer before it whose units lie along another axis than the
            one that this layer takes for them; None if there is none, or not known.
        is_normalized: Whether what it gives is normalized before the next kernel, so
            that the size of its kernel does not matter.
        softmax_over_one: Whether its softmax is over a single entry, which is always 1.

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
    is_recurrent: bool = False
    next_activation: str | None = None
    dropout: float | None = None
    momentum: float | None = None
    kernel_rms: float = UNKNOWN
    gain: float = UNKNOWN
    fan_in: float = UNKNOWN
    fan_out: float = UNKNOWN
    units_alike: bool = False
    kernel_shape: tuple[int, ...] | None = None
    penalty: str | None = None
    cell_activation: str | None = None
    dtype: str | None = None
    misreads: str | None = None
    softmax_over_one: bool = False
    is_normalized: bool = False

    @property
    def has_kernel(self) -> bool:
        """Whether the layer has a kernel whose size is known."""
        return self.gain == self.gain

    # Rules ask for kinds. Names of classes are for what kinds do not say: records of
    # before layers had kinds, layers of the user's, and the ways to pool.

    @property
    def known_kind(self) -> str | None:
        """The kind; in records of older versions what the class says, if anything."""
        return self.kind or _KINDS.get(self.class_name)

    @property
    def looks_up(self) -> bool:
        """Whether it looks up vectors by numbers; a custom one if its name says so."""
        is_named = self.kind in (None, "custom") and "Embedding" in self.class_name
        return is_named or self.kind == "embedding"

    @property
    def takes_maximum(self) -> bool:
        """Whether it gives the largest of several values, as max pooling does."""
        return "Max" in self.class_name


@names_nearest
@dataclass(frozen=True, eq=False, repr=False)
class OutputFacts(Facts):
    """What is known of an output of a model.

    Attributes:
        name: The layer or operation that it comes from.
        activation: Name of the activation that its values go through last; None if they
            are not limited, `"custom"` for one of the user's, `"unknown"`.
        units: Length of its last axis; None if not known.
        rank: Number of its axes, samples included; None if not known.
        shape: Shape of what it gives for the rows of the probe, samples first; None if
            it was not run.
        softmax_axis: Axis over which a softmax adds up to one, counted from the end;
            None if there is none, or it is not known.
        limited_before: Activation whose limited values the last one is given, as those
            of a softmax behind another; None if there is none, or not known.
        label: Of one of several outputs: what losses, targets and logs call it; None if
            not known.

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

    @property
    def known_as(self) -> str | None:
        """The label, else the name."""
        return self.label or self.name


@names_nearest
@dataclass(frozen=True, eq=False, repr=False)
class ModelFacts(Facts):
    """What is known of a model before training.

    Attributes:
        layers: From input to output.
        outputs: In the order of `keras.tree.flatten`.
        n_weights: Number of weights; None if not known.
        n_trainable_weights: Number of those that are trained; None if not known.
        is_sequential: Whether it is a `Sequential` model.
        normalizes_inputs: Whether inputs are scaled before the first kernel.
        may_act_between_layers: Whether a `call` of the user's or operations that are no
            layers may bend what passes between layers; None if not known.
        seen_after: Number of steps that were trained before it was looked at; None if
            it was looked at before the first. A model that is built in its first step
            has no weights before.
        why_not_rebuilt: Why remedies cannot remake the model with changes, as text;
            None if they can, or it is not known.
        n_resizable: Number of hidden layers whose number of units is free; None if not
            known.
        padding_reader: The recurrent layer that reads padding at the end as input, as
            nothing masks it; None if there is none, or it is not known.
        makes_masks: Whether a layer makes a mask of padding, which Keras leaves out of
            the loss; None if that is not known, as in subclassed models.
        untracked: Where layers are that the model uses and Keras does not find.

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
    untracked: tuple[str, ...] = ()
