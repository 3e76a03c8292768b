"""Ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from keras_dlbasic._arguments import as_list
from keras_dlbasic._wrong_arguments import names_nearest

LOGITS = ("auto", "softmax", "sigmoid", None)


class EnsemblePrediction(NamedTuple):
    """Mean and standard deviation over the members, shaped as one prediction.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.ensembles import EnsemblePrediction
    >>> members = np.array([[1.0], [3.0]])  # two members, one row
    >>> found = EnsemblePrediction(members.mean(axis=0), members.std(axis=0))
    >>> found.mean.tolist(), found.spread.tolist()
    ([2.0], [1.0])
    """

    mean: Any
    spread: Any


@names_nearest
@keras.saving.register_keras_serializable(package="keras_dlbasic")
class Ensemble(keras.Model):
    """A Keras model whose output is the mean of its members' outputs.

    All members run in one compiled call. The ensemble is compiled with the loss and the
    metrics of its first member, so `evaluate` works at once. It has no optimizer;
    compile it again to train all members together. It is saved as one `.keras` file.

    Args:
        models: Built Keras models with the same inputs and outputs. They are not
            copied.
        logits: `"softmax"` or `"sigmoid"` if the members output logits: they are
            converted to probabilities, averaged, and converted back to logits. None:
            outputs (probabilities, values) are averaged directly. Defaults to `"auto"`:
            taken from the loss of the first member. With `from_logits=True` that is
            softmax for categorical losses and sigmoid for binary ones.
        **kwargs: `name`, `dtype`.

    Raises:
        ValueError: If `models` is empty, a model is not built, or outputs have
            different shapes.
        TypeError: If a member is not a Keras model.

    Reference:
        Hansen & Salamon (1990), Neural network ensembles; Lakshminarayanan, Pritzel &
        Blundell (2017), Simple and scalable predictive uncertainty estimation using
        deep ensembles.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> def build_model(value):
    ...     law = keras.initializers.Constant(value)
    ...     layer = keras.layers.Dense(1, kernel_initializer=law)
    ...     return keras.Sequential([keras.Input((2,)), layer])
    >>> ensemble = kd.ensembles.Ensemble([build_model(1.0), build_model(2.0)])
    >>> mean, spread = ensemble.predict_spread(np.ones((1, 2)), verbose=0)
    >>> mean.tolist(), round(float(spread[0, 0]), 3)
    ([[3.0]], 1.414)
    """

    def __init__(
        self, models: Sequence[Any], *, logits: str | None = "auto", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(models, keras.Model):
            raise TypeError(
                "`models` must be several models: `Ensemble([model, another])`. "
                f"Received: the model '{models.name}'"
            )
        members = as_list("models", models, "[model, another]")
        _check(members, logits)
        self.members = members
        self.logits = _logits_of(members[0]) if logits == "auto" else logits
        self._holder = _Holder()
        self.built = True
        _compile_like_first(self, members[0])

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:  # noqa: D102
        outputs = [_called(member, inputs, training, mask) for member in self.members]
        return keras.tree.map_structure(self._mean, *outputs)

    def predict_spread(
        self, x: Any, batch_size: int | None = None, *, verbose: str | int = "auto"
    ) -> EnsemblePrediction:
        """Predict, and return how much the members disagree.

        Args:
            x: Inputs, as for `predict`.
            batch_size: As for `predict`.
            verbose: As for `predict`.

        Returns:
            A named tuple `(mean, spread)`, shaped like the outputs. With logits, both
            refer to the probabilities. The spread is the standard deviation over the
            members (with `ddof=1`). It is the uncertainty due to training, without the
            noise of the data. It is 0 for a single member.
        """
        if self._holder.model is None:
            self._holder.model = _Stacked(self)
        stacked = self._holder.model.predict(x, batch_size=batch_size, verbose=verbose)
        ddof = int(len(self.members) > 1)
        return EnsemblePrediction(
            keras.tree.map_structure(lambda a: a.mean(axis=1), stacked),
            keras.tree.map_structure(lambda a: a.std(axis=1, ddof=ddof), stacked),
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "models": [_serialized(member) for member in self.members],
            "logits": self.logits,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Create an ensemble from the dict that `get_config` returned."""
        models = [
            keras.saving.deserialize_keras_object(model, custom_objects=custom_objects)
            for model in config["models"]
        ]
        return cls(**{**config, "models": models})

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with the dict that `get_compile_config` returned."""
        if config.get("optimizer") is None:
            self.compile(**keras.saving.deserialize_keras_object(config))
        else:
            super().compile_from_config(config)

    def _mean(self, *outputs: Any) -> Any:
        stacked = self.probabilities(outputs)
        mean = ops.mean(stacked, axis=1)
        # Probabilities are averaged, and logits are what the compiled loss expects. So
        # the mean goes back to logits, cut off where a logarithm would be infinite.
        if self.logits == "softmax":
            mean = ops.log(ops.maximum(mean, keras.config.epsilon()))
        elif self.logits == "sigmoid":
            least = keras.config.epsilon()
            mean = ops.clip(mean, least, 1 - least)
            mean = ops.log(mean) - ops.log1p(-mean)
        return ops.cast(mean, outputs[0].dtype)

    def probabilities(self, outputs: Sequence[Any]) -> Any:
        """Return the outputs of the members that are averaged, stacked on axis 1."""
        # in half precision a mean of many members loses digits
        stacked = ops.stack([ops.cast(o, "float32") for o in outputs], axis=1)
        if self.logits == "softmax":
            return ops.softmax(stacked, axis=-1)
        if self.logits == "sigmoid":
            return ops.sigmoid(stacked)
        return stacked


def without_optimizers(ensemble: Ensemble) -> Ensemble:
    """Drop the members' optimizers, whose states Keras would save with the ensemble."""
    for member in ensemble.members:
        member.optimizer = None
    return ensemble


class _Holder:
    """Holds a model that Keras is neither to track nor to save."""

    model: Any = None


class _Stacked(keras.Model):
    """Gives the outputs of all members of an ensemble, on axis 1."""

    def __init__(self, ensemble: Ensemble) -> None:
        super().__init__(name="members")
        self.ensemble = ensemble
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        outputs = [_called(m, inputs, training, None) for m in self.ensemble.members]
        return keras.tree.map_structure(
            lambda *parts: self.ensemble.probabilities(parts), *outputs
        )


def _called(member: Any, inputs: Any, training: bool, mask: Any) -> Any:
    given = {} if mask is None else {"mask": mask}
    return member(inputs, training=training, **given)


def _compile_like_first(ensemble: Ensemble, member: Any) -> None:
    # not at the top: `import keras_dlbasic` registers this class and stays light
    from keras_dlbasic._keras.rebuild import compile_like

    try:
        compile_like(ensemble, member, optimizer=None)
    except ValueError:  # of the user's own, to be compiled by the user
        return


def _serialized(member: Any) -> dict[str, Any]:
    # loss and metrics are the ensemble's, and an optimizer would have no state
    config = keras.saving.serialize_keras_object(member)
    return {key: value for key, value in config.items() if key != "compile_config"}


def _logits_of(model: Any) -> str | None:
    losses = keras.tree.flatten(model.loss) if model.compiled else []
    for loss in losses:
        config = loss.get_config() if isinstance(loss, keras.losses.Loss) else {}
        if config.get("from_logits"):
            binary = "Binary" in type(loss).__name__
            return "sigmoid" if binary else "softmax"
    return None


def _check(models: list[Any], logits: Any) -> None:
    if logits not in LOGITS:
        raise ValueError(f"`logits` must be one of {LOGITS}. Received: {logits!r}")
    if not models:
        raise ValueError("An ensemble needs at least one model. Received: none")
    for model in models:
        if not isinstance(model, keras.Model):
            raise TypeError(
                "`models` must be Keras models. Received: "
                f"{model!r} of type {type(model).__name__}"
            )
        if not model.built:
            raise ValueError(
                f"Model '{model.name}' is not built, so its outputs are not known. "
                "Give it a `keras.Input`, or call it on a batch first."
            )
    shapes = [_output_shapes(model) for model in models]
    if any(shape != shapes[0] for shape in shapes if shape and shapes[0]):
        raise ValueError(
            "All members must have outputs of the same shape. Received: "
            f"{[str(shape) for shape in shapes]}"
        )


def _output_shapes(model: Any) -> Any:
    try:
        return [tuple(tensor.shape) for tensor in model.outputs]
    except (AttributeError, TypeError, ValueError):  # a subclassed model has no graph
        return None
